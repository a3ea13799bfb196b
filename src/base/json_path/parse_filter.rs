//! Reading a filter: conditions, comparisons, functions and literals by the grammar of RFC 9535, section 2.3.5.

use serde_json::{Number, Value};

use crate::base::json_number::read_number;

use super::error::JsonPathError;
use super::filter::compile_pattern;
use super::parse::Parser;
use super::syntax::{
    FilterComparison, FilterOperand, LogicalExpression, Operator, PathQuery, Pattern, PatternExtent,
    QueryStart, RegexMatch,
};

/// The functions by name.
const FUNCTIONS: [&str; 5] = ["length", "count", "value", "match", "search"];

impl Parser<'_> {
    /// Conditions joined by `||`.
    pub(super) fn logical(&mut self) -> Result<LogicalExpression, JsonPathError> {
        let mut any = vec![self.conjunction()?];
        while self.joined_by("||") {
            any.push(self.conjunction()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { LogicalExpression::Any(any) })
    }

    fn conjunction(&mut self) -> Result<LogicalExpression, JsonPathError> {
        let mut all = vec![self.condition()?];
        while self.joined_by("&&") {
            all.push(self.condition()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { LogicalExpression::All(all) })
    }

    fn joined_by(&mut self, word: &str) -> bool {
        let before = self.at;
        self.skip_blanks();
        let joined = self.take(word);
        if joined {
            self.skip_blanks();
        } else {
            self.at = before;
        }
        joined
    }

    fn condition(&mut self) -> Result<LogicalExpression, JsonPathError> {
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
            self.skip_blanks();
        }
        let begun = self.at;
        let condition = match self.peek() {
            Some('(') => self.deeper(Self::parenthesis)?,
            _ => match self.test_or_comparison()? {
                LogicalExpression::Compare(_) if negated => {
                    self.at = begun;
                    return Err(self.wrong("`!` before a comparison needs parentheses: `!(…)`"));
                }
                condition => condition,
            },
        };
        Ok(if negated { LogicalExpression::Not(Box::new(condition)) } else { condition })
    }

    fn parenthesis(&mut self) -> Result<LogicalExpression, JsonPathError> {
        let open = self.at;
        self.at += 1;
        self.skip_blanks();
        let inner = self.logical()?;
        self.skip_blanks();
        if self.take(")") { Ok(inner) } else { Err(self.unclosed(open)) }
    }

    fn test_or_comparison(&mut self) -> Result<LogicalExpression, JsonPathError> {
        let begun = self.at;
        let left = self.term()?;
        let before = self.at;
        self.skip_blanks();
        let Some(operator) = self.operator() else {
            self.at = before;
            return match left {
                FilterTerm::Query(query) => Ok(LogicalExpression::Exists(query)),
                FilterTerm::Matching(matching) => Ok(LogicalExpression::Matches(matching)),
                FilterTerm::Operand(_) => {
                    self.at = begun;
                    Err(self.wrong("a literal or the value of a function must be compared with something"))
                }
            };
        };
        self.skip_blanks();
        let left = self.comparable(left, begun)?;
        let begun = self.at;
        let right = self.term()?;
        let right = self.comparable(right, begun)?;
        Ok(LogicalExpression::Compare(FilterComparison { left, operator, right }))
    }

    fn operator(&mut self) -> Option<Operator> {
        const OPERATORS: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        OPERATORS.into_iter().find(|(word, _)| self.take(word)).map(|(_, operator)| operator)
    }

    fn comparable(&mut self, term: FilterTerm, begun: usize) -> Result<FilterOperand, JsonPathError> {
        let message = match term {
            FilterTerm::Operand(operand) => return Ok(operand),
            FilterTerm::Query(query) if query.is_singular() => return Ok(FilterOperand::Single(query)),
            FilterTerm::Query(_) => {
                "a path that may select several values cannot be compared; `count()` and `value()` make one of them"
            }
            FilterTerm::Matching(_) => {
                "`match` and `search` are conditions by themselves and cannot be compared"
            }
        };
        self.at = begun;
        Err(self.wrong(message))
    }

    /// A literal, a query or a function.
    fn term(&mut self) -> Result<FilterTerm, JsonPathError> {
        match self.peek() {
            Some('$') => {
                self.at += 1;
                self.query(QueryStart::Root).map(FilterTerm::Query)
            }
            Some('@') => {
                self.at += 1;
                self.query(QueryStart::Current).map(FilterTerm::Query)
            }
            Some('\'' | '"') => {
                self.string().map(|text| FilterTerm::Operand(FilterOperand::Literal(Value::from(text))))
            }
            Some('-' | '0'..='9') => {
                self.number().map(|number| FilterTerm::Operand(FilterOperand::Literal(number)))
            }
            Some('a'..='z') => self.word(),
            _ => Err(self.wrong("a filter takes `@…`, `$…`, a literal or a function here")),
        }
    }

    fn word(&mut self) -> Result<FilterTerm, JsonPathError> {
        let begun = self.at;
        let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
        let length = self.rest().bytes().take_while(is_word).count();
        let word = self.rest()[..length].to_owned();
        self.at += length;
        let literal = match word.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        };
        if let Some(literal) = literal.filter(|_| self.peek() != Some('(')) {
            return Ok(FilterTerm::Operand(FilterOperand::Literal(literal)));
        }
        if self.peek() == Some('(') && FUNCTIONS.contains(&word.as_str()) {
            return self.deeper(|parser| parser.function(&word));
        }
        self.at = begun;
        Err(self.wrong(format!("`{word}` is no function of JSONPath: they are {}", FUNCTIONS.join(", "))))
    }

    /// The arguments of a function, at its parenthesis.
    fn function(&mut self, name: &str) -> Result<FilterTerm, JsonPathError> {
        let open = self.at;
        self.at += 1;
        self.skip_blanks();
        let term = match name {
            "length" => FilterTerm::Operand(FilterOperand::Length(Box::new(self.argument()?))),
            "count" => FilterTerm::Operand(FilterOperand::Count(self.nodes()?)),
            "value" => FilterTerm::Operand(FilterOperand::ValueOf(self.nodes()?)),
            "match" => FilterTerm::Matching(self.matching(PatternExtent::Whole)?),
            _ => FilterTerm::Matching(self.matching(PatternExtent::Part)?),
        };
        self.skip_blanks();
        match self.peek() {
            Some(')') => {
                self.at += 1;
                Ok(term)
            }
            None => Err(self.unclosed(open)),
            Some(_) => Err(self.wrong(format!("`{name}` takes no further argument"))),
        }
    }

    fn matching(&mut self, extent: PatternExtent) -> Result<RegexMatch, JsonPathError> {
        let text = self.argument()?;
        self.skip_blanks();
        if !self.take(",") {
            return Err(self.wrong("a text and a pattern are needed, with a comma between them"));
        }
        self.skip_blanks();
        let begun = self.at;
        let pattern = match self.argument()? {
            FilterOperand::Literal(Value::String(pattern)) => match compile_pattern(&pattern, extent) {
                Ok(regex) => Pattern::Ready(regex),
                Err(error) => {
                    self.at = begun;
                    return Err(self.wrong(format!("not a regular expression: {error}")));
                }
            },
            late => Pattern::Late(late),
        };
        Ok(RegexMatch { extent, text, pattern })
    }

    /// An argument that is one value.
    fn argument(&mut self) -> Result<FilterOperand, JsonPathError> {
        let begun = self.at;
        let term = self.term()?;
        self.comparable(term, begun)
    }

    /// An argument that is a list of nodes.
    fn nodes(&mut self) -> Result<PathQuery, JsonPathError> {
        let begun = self.at;
        match self.term()? {
            FilterTerm::Query(query) => Ok(query),
            FilterTerm::Operand(_) | FilterTerm::Matching(_) => {
                self.at = begun;
                Err(self.wrong("a path is needed here, as in `@.*`"))
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonPathError> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.rest().bytes().take_while(is_part).count();
        let written = &self.rest()[..length];
        let number = serde_json::from_str::<Number>(written).ok();
        let Some(number) = number.and_then(|number| read_number(number.as_str())) else {
            return Err(self.wrong(format!("`{written}` is not a number")));
        };
        self.at += length;
        Ok(Value::Number(number))
    }
}

/// What can be at the side of a comparison, or alone.
enum FilterTerm {
    Operand(FilterOperand),
    Query(PathQuery),
    Matching(RegexMatch),
}
