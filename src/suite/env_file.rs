//! The file that `env_file` names: one `NAME=value` a line, as other tools read `.env`.
//!
//! Comments, `export `, single quotes (as it stands) and double quotes (`\n`, `\"`, `\\`; over several lines) are known. Nothing
//! is filled in: `$NAME` is text.

use std::collections::BTreeMap;

use crate::yaml::node::{FilePosition, SourceText};
use crate::yaml::problem::Problem;

/// Reads the variables; a line that is none is a problem. A name that occurs twice has its last value.
pub fn read_env_file(source: &SourceText, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let (mut rest, mut line) = (source.text.as_str(), 1_u32);
    while !rest.is_empty() {
        let TakenLine { variable, length } = match take(rest) {
            Ok(taken) => taken,
            Err(message) => {
                // The excerpt of a place would show the value.
                let mut place = source.place(FilePosition { line, column: 1, width: 1 });
                place.excerpt = "".into();
                problems.push(Problem::new(place, message).help("write `NAME=value`"));
                TakenLine { variable: None, length: rest.find('\n').map_or(rest.len(), |end| end + 1) }
            }
        };
        variables.extend(variable.map(|variable| (variable.name, variable.value)));
        line += rest[..length].matches('\n').count() as u32;
        rest = &rest[length..];
    }
    variables
}

struct Variable {
    name: String,
    value: String,
}

/// What a text begins with: a variable, or a line that is none.
struct TakenLine {
    variable: Option<Variable>,
    /// The bytes up to what follows.
    length: usize,
}

/// A value as it is written.
struct WrittenText {
    value: String,
    /// The bytes up to the line after it.
    length: usize,
}

/// The variable with which a text begins, and the bytes up to what follows.
fn take(text: &str) -> Result<TakenLine, &'static str> {
    let end = text.find('\n').map_or(text.len(), |end| end + 1);
    let line = text[..end].trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(TakenLine { variable: None, length: end });
    }
    let Some(equals) = text[..end].find('=') else { return Err("this line has no `=`") };
    let name = text[..equals].trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_name) {
        return Err("the text before the `=` is not the name of a variable");
    }
    let start = equals + 1;
    let blanks = text[start..end].len() - text[start..end].trim_start_matches([' ', '\t']).len();
    let value = &text[start + blanks..];
    let WrittenText { value, length } = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(value, quote)?,
        _ => WrittenText { value: bare(&text[start + blanks..end]), length: end - start - blanks },
    };
    let variable = Some(Variable { name: name.to_owned(), value });
    Ok(TakenLine { variable, length: start + blanks + length })
}

/// A value without quotes ends at its line, or before a comment.
fn bare(line: &str) -> String {
    let comment = line.find(" #").or_else(|| line.find("\t#"));
    line[..comment.unwrap_or(line.len())].trim().to_owned()
}

/// A value in quotes, and the bytes up to the line after it.
fn quoted(text: &str, quote: char) -> Result<WrittenText, &'static str> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            ('\\', '"') => match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(other) => value.push(other),
                None => {}
            },
            _ if letter == quote => {
                let rest = &text[at + 1..];
                let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let after = rest[..end].trim();
                if !after.is_empty() && !after.starts_with('#') {
                    return Err("there is text behind the closing quote");
                }
                return Ok(WrittenText { value, length: at + 1 + end });
            }
            _ => value.push(letter),
        }
    }
    Err("this quote is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = Vec<(String, String)>;

    fn read(text: &str) -> (Variables, Vec<(u32, String)>) {
        let mut problems = Vec::new();
        let variables = read_env_file(&SourceText::new(".env", text.to_owned()), &mut problems);
        assert!(problems.iter().all(|problem| problem.place.excerpt.is_empty()));
        (
            variables.into_iter().collect(),
            problems.into_iter().map(|problem| (problem.place.line, problem.message)).collect(),
        )
    }

    #[test]
    fn values_are_read_as_other_tools_read_them() {
        let text = "# keys\r\nA=1\r\nexport B = two words # not three\n\nC='a # b'\nD=\"x\\n\\\"y\\\"\nz\" # end\nE=\nF=a=b#c\nA=2\n";
        let (variables, problems) = read(text);
        let expected =
            [("A", "2"), ("B", "two words"), ("C", "a # b"), ("D", "x\n\"y\"\nz"), ("E", ""), ("F", "a=b#c")];
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(variables, expected);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_line_that_is_none_is_named_without_its_text() {
        let (variables, problems) = read("A=1\nsecret\n1X=2\nB='a' b\nC=\"open\nD=4\n");
        assert_eq!(variables, [("A".to_owned(), "1".to_owned()), ("D".to_owned(), "4".to_owned())]);
        let lines: Vec<u32> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
        assert!(problems[3].1.contains("never closed"));
    }
}
