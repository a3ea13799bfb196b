//! How large and how deep a template is, before it is compiled: the engine compiles operators, chains and blocks by recursion,
//! and folds constants in a time that grows with the square of a chain's length.

use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::errors::TemplateError;

/// The longest template, in bytes.
const LONGEST: usize = 1 << 20;
/// The most operators, brackets and blocks that may apply to each other, from the outermost to the innermost.
const DEEPEST: usize = 200;
/// The most words and signs in the expressions of a template.
const MOST: usize = 50_000;

/// Words that are operators.
const OPERATORS: [&str; 7] = ["not", "and", "or", "in", "is", "if", "else"];
/// Statements that hold others until their end.
const OPENERS: [&str; 10] =
    ["for", "if", "with", "block", "macro", "call", "filter", "autoescape", "set", "trans"];

/// Refuses a template that is too long or too deep; what is no template at all is the compiler's to refuse.
pub(super) fn check_extent(source: &str, syntax: &SyntaxConfig) -> Result<(), TemplateError> {
    if source.len() > LONGEST {
        let message = format!("the template has {} bytes, the most is {LONGEST}", source.len());
        return Err(TemplateError { message, span: None });
    }
    let mut extent = OpenBlocks::default();
    for (count, token) in tokenize(source, false, syntax.clone()).enumerate() {
        let Ok((token, span)) = token else { return Ok(()) };
        if count > MOST {
            return Err(refused(format!("the template has more than {MOST} words and signs"), span));
        }
        extent.note(&token);
        if extent.depth() > DEEPEST {
            let message = format!(
                "the template is too deep: more than {DEEPEST} operators, brackets and blocks apply to each other"
            );
            return Err(refused(message, span));
        }
    }
    Ok(())
}

fn refused(message: String, span: Span) -> TemplateError {
    TemplateError { message, span: Some(span.start_offset as usize..span.end_offset as usize) }
}

/// What is open at a place of a template.
#[derive(Default)]
struct OpenBlocks {
    /// For each open bracket, and for the expression around them, the operators since the last comma.
    rows: Vec<usize>,
    /// For each open block, itself and the alternatives that it has so far.
    blocks: Vec<usize>,
    is_tag_begun: bool,
    /// In a `set`, which holds others only where nothing is assigned in it.
    is_set: bool,
}

impl OpenBlocks {
    fn depth(&self) -> usize {
        self.rows.iter().sum::<usize>() + self.blocks.iter().sum::<usize>()
    }

    fn note(&mut self, token: &Token<'_>) {
        let was_begun = std::mem::replace(&mut self.is_tag_begun, matches!(token, Token::BlockStart));
        match token {
            Token::VariableStart | Token::BlockStart => self.rows = vec![0],
            Token::VariableEnd | Token::BlockEnd | Token::TemplateData(_) => {
                self.rows.clear();
                self.is_set = false;
            }
            Token::Assign => {
                if std::mem::take(&mut self.is_set) {
                    self.blocks.pop();
                }
            }
            Token::Ident(word) if was_begun => self.note_tag(word),
            Token::Ident(word) if OPERATORS.contains(word) => self.add(),
            Token::Ident(_) | Token::Str(_) | Token::String(_) => {}
            Token::Int(_) | Token::Int128(_) | Token::Float(_) | Token::Colon => {}
            Token::Comma => {
                if let Some(row) = self.rows.last_mut() {
                    *row = 0;
                }
            }
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => {
                self.add();
                self.rows.push(0);
            }
            Token::BracketClose | Token::ParenClose | Token::BraceClose => drop(self.rows.pop()),
            Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::FloorDiv | Token::Pow => self.add(),
            Token::Mod | Token::Dot | Token::Tilde | Token::Pipe => self.add(),
            Token::Eq | Token::Ne | Token::Gt | Token::Gte | Token::Lt | Token::Lte => self.add(),
        }
    }

    fn note_tag(&mut self, word: &str) {
        if word.starts_with("end") {
            self.blocks.pop();
        } else if OPENERS.contains(&word) {
            self.blocks.push(1);
            self.is_set = word == "set";
        } else if matches!(word, "elif" | "else") {
            self.blocks.iter_mut().last().into_iter().for_each(|block| *block += 1);
        }
    }

    fn add(&mut self) {
        match self.rows.last_mut() {
            Some(row) => *row += 1,
            None => self.rows.push(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::template::{TemplateError, Templates};

    fn compile(source: &str) -> Result<(), TemplateError> {
        Templates::new().compile(source).map(drop)
    }

    /// Each shape grows by one level: 60,000 levels would end the process if they were compiled.
    #[test]
    fn what_is_too_deep_is_refused_before_it_is_compiled() {
        let deep = |before: &str, middle: &str, after: &str, levels: usize| {
            format!("{}{middle}{}", before.repeat(levels), after.repeat(levels))
        };
        for (before, middle, after) in [
            ("-", "1", ""),
            ("not ", "1", ""),
            ("", "1", " + 1"),
            ("", "1", " ~ 1"),
            ("", "1", " ** 2"),
            ("", "a", ".a"),
            ("", "a", "[0]"),
            ("", "a", "()"),
            ("", "a", "|upper"),
            ("", "a", " is defined"),
            ("", "1", " if 1 else 1"),
            ("", "1", " and 1"),
            ("", "1", " < 1"),
            ("", "1", " in 1"),
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{'a':", "1", "}"),
            ("f(a, ", "1", ")"),
            ("", "a", "|default(b, c)"),
        ] {
            let inner = deep(before, middle, after, 60_000);
            for source in [
                format!("{{{{ {inner} }}}}"),
                format!("x {{{{ {inner} }}}}"),
                format!("{{% if {inner} %}}{{{{ 1 }}}}{{% endif %}}"),
            ] {
                let error = compile(&source).unwrap_err();
                assert!(error.message.contains("too deep"), "{before}…{after}: {error}");
                let span = error.span.unwrap();
                assert!(span.end < 10_000 && source.is_char_boundary(span.start), "{span:?}");
            }
        }
        let blocks = deep("{% if 1 %}", "{{ 1 }}", "{% endif %}", 20_000);
        assert!(compile(&blocks).unwrap_err().message.contains("too deep"));
        let branches = format!("{{% if 1 %}}{{{{ 1 }}}}{}{{% endif %}}", "{% elif 2 %}".repeat(20_000));
        assert!(compile(&branches).unwrap_err().message.contains("too deep"));
        let sets = deep("{% set x %}", "{{ 1 }}", "{% endset %}", 20_000);
        assert!(compile(&sets).unwrap_err().message.contains("too deep"));
    }

    #[test]
    fn what_is_long_but_flat_is_compiled() {
        let list = format!("{{{{ [{}] }}}}", "1 + 1, ".repeat(5_000));
        let text = format!("{} {{{{ a }}}}", "... (not - a + template) ".repeat(10_000));
        let many = "{{ a.b ~ c }} {% if x %}y{% endif %} {% set z = 1 %}".repeat(500);
        let chain = format!("{{{{ 1{} }}}}", " ~ 1".repeat(150));
        let raw = format!("{{% raw %}}{{{{ {} }}}}{{% endraw %}}", "-".repeat(1_000));
        for source in [list, text, chain, raw] {
            assert_eq!(compile(&source), Ok(()), "{}", &source[..40]);
        }
        assert_eq!(compile(&many), Ok(()));
        assert!(
            compile(&format!("{{{{ a }}}}{}", "x".repeat(1 << 20))).unwrap_err().message.contains("bytes")
        );
        assert!(compile(&"{{ a }}".repeat(20_000)).unwrap_err().message.contains("words and signs"));
    }

    /// A chain of the longest kind folds in a bounded time, and any number of them in proportion to their length.
    #[test]
    fn constants_are_folded_in_proportion() {
        let chain = format!("{{{{ 1{} }}}}", " ~ 1".repeat(199));
        assert_eq!(compile(&chain.repeat(40)), Ok(()));
        for source in [
            "{{ 'x' * 10000000000 }}",
            "{{ ['x'] * 10000000000 }}",
            "{{ range(10000000000) }}",
            "{{ 9 ** 9 ** 9 ** 9 }}",
        ] {
            assert_eq!(compile(source), Ok(()), "what is large is made when it is rendered, with fuel");
        }
    }
}
