//! Reading a path: queries, segments and selectors by the grammar of RFC 9535. Linear in the text, bounded in depth.

use super::error::JsonPathError;
use super::syntax::{PathQuery, QuerySegment, QueryStart, SegmentReach, Selector, SliceSelector};

/// The most brackets and parentheses that may be open at the same time.
const DEEPEST: u8 = 12;
/// The numbers that may be an index: those that a double holds exactly.
const LARGEST_INDEX: i64 = (1 << 53) - 1;

/// A path being read.
pub(super) struct Parser<'t> {
    pub text: &'t str,
    pub at: usize,
    depth: u8,
}

/// Reads a whole path.
pub(super) fn parse_query(text: &str) -> Result<PathQuery, JsonPathError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.take("$") {
        return Err(parser.wrong("paths start at `$`"));
    }
    let query = parser.query(QueryStart::Root)?;
    match parser.peek() {
        None => Ok(query),
        Some(blank) if is_blank(blank) => Err(parser.wrong("a path cannot end with blanks")),
        Some('[') => Err(parser.wrong("the bracket is not complete")),
        Some(other) => Err(parser.wrong(format!("unexpected `{other}`: `.`, `..` or `[` goes on here"))),
    }
}

impl<'t> Parser<'t> {
    /// The segments behind a `$` or `@`.
    pub fn query(&mut self, start: QueryStart) -> Result<PathQuery, JsonPathError> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.skip_blanks();
            match self.segment()? {
                Some(segment) => segments.push(segment),
                None => {
                    self.at = before;
                    return Ok(PathQuery { start, segments });
                }
            }
        }
    }

    fn segment(&mut self) -> Result<Option<QuerySegment>, JsonPathError> {
        let (reach, is_dotted) = if self.take("..") {
            (SegmentReach::Descendants, true)
        } else {
            (SegmentReach::Children, self.take("."))
        };
        let selectors = match self.peek() {
            Some('[') if is_dotted && reach == SegmentReach::Children => {
                return Err(self.wrong("a bracket follows a value without a dot: write `a[0]`, not `a.[0]`"));
            }
            Some('[') => self.deeper(Self::bracket)?,
            Some('*') if is_dotted => {
                self.at += 1;
                vec![Selector::Wildcard]
            }
            _ if is_dotted => vec![Selector::Name(self.shorthand()?)],
            _ => return Ok(None),
        };
        Ok(Some(QuerySegment { reach, selectors }))
    }

    fn shorthand(&mut self) -> Result<String, JsonPathError> {
        let rest = self.rest();
        let length: usize = rest.chars().take_while(|c| is_name(*c)).map(char::len_utf8).sum();
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong("a dot is followed by a name that begins with a letter or `_`, or by `*`"));
        }
        let name = rest[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    /// `[selector, …]`, at its bracket.
    fn bracket(&mut self) -> Result<Vec<Selector>, JsonPathError> {
        let open = self.at;
        self.at += 1;
        let mut selectors = Vec::new();
        loop {
            self.skip_blanks();
            selectors.push(self.selector(open)?);
            self.skip_blanks();
            if self.take("]") {
                return Ok(selectors);
            }
            if !self.take(",") {
                return Err(match self.peek() {
                    None => self.unclosed(open),
                    Some(other) => self.wrong(format!("unexpected `{other}`: `]` or `,` goes on here")),
                });
            }
        }
    }

    fn selector(&mut self, open: usize) -> Result<Selector, JsonPathError> {
        match self.peek() {
            Some('\'' | '"') => self.string().map(Selector::Name),
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some('?') => {
                self.at += 1;
                self.skip_blanks();
                self.logical().map(Selector::Filter)
            }
            Some(':' | '-' | '0'..='9') => self.index_or_slice(),
            None => Err(self.unclosed(open)),
            Some(_) => {
                Err(self.wrong("a bracket holds a quoted name, an index, a slice, `*` or `?` and a filter"))
            }
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, JsonPathError> {
        let start = self.integer()?;
        let before = self.at;
        self.skip_blanks();
        if !self.take(":") {
            self.at = before;
            return start.map(Selector::Index).ok_or_else(|| self.wrong("an index is missing"));
        }
        self.skip_blanks();
        let end = self.integer()?;
        let before = self.at;
        self.skip_blanks();
        let step = if self.take(":") {
            self.skip_blanks();
            self.integer()?
        } else {
            self.at = before;
            None
        };
        Ok(Selector::Slice(SliceSelector { start, end, step }))
    }

    /// A whole number, if one begins here.
    fn integer(&mut self) -> Result<Option<i64>, JsonPathError> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let sign = rest.len() - digits.len();
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if sign + length == 0 {
            return Ok(None);
        }
        let written = &rest[..sign + length];
        let is_plain = written == "0" || (length > 0 && !digits.starts_with('0'));
        let number = written.parse().ok().filter(|number: &i64| number.abs() <= LARGEST_INDEX);
        match number.filter(|_| is_plain) {
            Some(number) => {
                self.at += written.len();
                Ok(Some(number))
            }
            None => Err(self
                .wrong(format!("`{written}` is not an index: write a whole number without leading zeros"))),
        }
    }

    /// Runs a part one bracket or parenthesis deeper.
    pub fn deeper<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, JsonPathError>,
    ) -> Result<T, JsonPathError> {
        if self.depth == DEEPEST {
            return Err(self.wrong(format!("the path nests brackets and parentheses deeper than {DEEPEST}")));
        }
        self.depth += 1;
        let read = part(self)?;
        self.depth -= 1;
        Ok(read)
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes a word that comes next.
    pub fn take(&mut self, word: &str) -> bool {
        let comes = self.rest().starts_with(word);
        if comes {
            self.at += word.len();
        }
        comes
    }

    pub fn skip_blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| is_blank(char::from(*byte))).count();
    }

    pub fn wrong(&self, message: impl Into<String>) -> JsonPathError {
        JsonPathError { message: message.into(), offset: Some(self.at), help: None }
    }

    pub fn unclosed(&self, open: usize) -> JsonPathError {
        let message = format!("`{}` is never closed", &self.text[open..=open]);
        JsonPathError { message, offset: Some(open), help: None }
    }
}

/// True within a name behind a dot.
pub(super) fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
