//! Reading quoted text: names and literals of RFC 9535, section 2.3.1.

use super::error::JsonPathError;
use super::parse::Parser;

impl Parser<'_> {
    /// Quoted text, at its quote.
    pub(super) fn string(&mut self) -> Result<String, JsonPathError> {
        let open = self.at;
        let quote = self.peek().unwrap_or('\'');
        self.at += quote.len_utf8();
        let mut text = String::new();
        loop {
            let Some(character) = self.peek() else { return Err(self.unclosed(open)) };
            if character < ' ' {
                let code = u32::from(character);
                return Err(self.wrong(format!("a control character in quotes is written `\\u{code:04x}`")));
            }
            if character == '\\' {
                text.push(self.escape(quote)?);
                continue;
            }
            self.at += character.len_utf8();
            if character == quote {
                return Ok(text);
            }
            text.push(character);
        }
    }

    /// One escape, at its backslash.
    fn escape(&mut self, quote: char) -> Result<char, JsonPathError> {
        let begun = self.at;
        self.at += 1;
        let Some(escaped) = self.peek() else {
            self.at = begun;
            return Err(self.wrong("the text ends in the middle of an escape"));
        };
        if escaped == 'u' {
            self.at += 1;
            return self.unicode().map_err(|error| JsonPathError { offset: Some(begun), ..error });
        }
        let character = match escaped {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            '/' | '\\' => escaped,
            _ if escaped == quote => escaped,
            _ => {
                self.at = begun;
                return Err(self.wrong(format!("`\\{escaped}` is no escape")));
            }
        };
        self.at += escaped.len_utf8();
        Ok(character)
    }

    /// `XXXX`, or two halves of a surrogate pair, behind `\u`.
    fn unicode(&mut self) -> Result<char, JsonPathError> {
        let first = self.four_digits()?;
        let code = match first {
            0xD800..=0xDBFF => {
                let second = if self.take("\\u") { self.four_digits()? } else { 0 };
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.lone_half(first));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            0xDC00..=0xDFFF => return Err(self.lone_half(first)),
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.lone_half(code))
    }

    fn lone_half(&self, code: u32) -> JsonPathError {
        self.wrong(format!("`\\u{code:04X}` is half a character: the other half of the pair is missing"))
    }

    fn four_digits(&mut self) -> Result<u32, JsonPathError> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.wrong("`\\u` needs four hexadecimal digits")),
        }
    }
}
