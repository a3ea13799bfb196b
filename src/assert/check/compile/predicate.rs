//! What must hold of values: predicates, `not`, `count`, `exists` and the modifiers.

use std::sync::Arc;

use crate::assert::check::model::{Equality, Expectation, Match, Predicate};
use crate::assert::check::operand::bound::BareMeaning;
use crate::assert::check::operand::matcher::Matcher;
use crate::assert::check::operand::operand_keys::operand_keys;
use crate::assert::check::operand::predicate_kind::{WORDS, Word};
use crate::assert::check::operand::{PredicateOperand, parse_bool, parse_path};
use crate::assert::check::schema::CompiledSchema;
use crate::base::diff::{CaseRule, EqualOptions};
use crate::base::template::Template;
use crate::yaml::node::{MapEntry, Node};

use super::Compiler;
use super::keys::{KeyFamily, family};
use super::kinds::Kinds;

impl Compiler<'_, '_, '_> {
    /// Everything but where to look.
    pub(super) fn expectation(&mut self, entries: &[MapEntry]) -> Option<Expectation> {
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
        let case = self.case(get("ignore_case"))?;
        let matching = get("match").map_or(Some(Match::One), |node| self.matching(node));
        let transforms = get("transform").map_or(Some(Vec::new()), |node| self.transforms(node));
        let count = get("count").map(|node| self.bound(node, BareMeaning::Exactly));
        let exists = get("exists").map(|node| self.operand(node, |value| parse_bool(value, "`exists`")));
        let equality = self.equality(get("ignore"), case);
        let predicates = self.predicates(entries, case);
        self.check_modifiers(entries, &predicates);
        self.check_exists(entries, exists.as_ref().and_then(Option::as_ref), &predicates);
        Some(Expectation {
            matching: matching?,
            transforms: transforms?,
            predicates,
            count: count.map_or(Some(None), |count| count.map(Some))?,
            exists: exists.map_or(Some(None), |exists| exists.map(Some))?,
            snapshot: None,
            equality: equality?,
        })
    }

    /// A mapping of predicates on a text fact.
    pub(super) fn text_expectation(&mut self, node: &Node, what: &str) -> Option<Expectation> {
        let mut known: Vec<&str> = WORDS.iter().map(|(key, _)| *key).collect();
        known.extend(["not", "exists", "ignore_case"]);
        let entries = self.reader.map(node, what, &known);
        if !entries.iter().any(|entry| entry.key != "ignore_case") {
            self.reader.problem(node.mark, format!("{what} without a predicate can never be red"));
            return None;
        }
        let expect = self.expectation(entries)?;
        self.check_together(node, entries, &expect, Kinds::TEXT);
        Some(expect)
    }

    /// Equality with a text, for facts that may be written bare.
    pub(super) fn equals_expectation(&mut self, node: &Node) -> Option<Expectation> {
        let operand = self.operand(node, |value| Matcher::parse(Word::Equals, value, CaseRule::Exact))?;
        Some(Expectation {
            matching: Match::One,
            transforms: Vec::new(),
            predicates: vec![Predicate::Plain(Word::Equals, operand)],
            count: None,
            exists: None,
            snapshot: None,
            equality: Equality::default(),
        })
    }

    fn predicates(&mut self, entries: &[MapEntry], case: CaseRule) -> Vec<Predicate> {
        let mut predicates = Vec::new();
        for entry in entries {
            if entry.key == "not" {
                predicates.extend(self.negation(&entry.value, case));
            } else if let Some(word) = Word::of(&entry.key) {
                predicates.extend(self.predicate(word, &entry.value, case));
            }
        }
        predicates
    }

    fn predicate(&mut self, word: Word, node: &Node, case: CaseRule) -> Option<Predicate> {
        if let (Word::Schema, Some(path)) = (word, node.as_text())
            && !path.contains("{{")
        {
            return self.schema(node, CompiledSchema::load(path, self.context.files));
        }
        let operand = match (word, node.as_map()) {
            (Word::Schema, Some(_)) => match self.template(node)? {
                Template::Literal(schema) => {
                    return self.schema(node, CompiledSchema::compile(&schema, Some(self.context.files)));
                }
                late @ (Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_)) => {
                    PredicateOperand::Late(late)
                }
            },
            _ => self.operand(node, |value| Matcher::parse(word, value, case))?,
        };
        if let (PredicateOperand::Late(_), Some(known)) = (&operand, operand_keys(word)) {
            self.check_keys(node, &format!("`{}`", word.key()), known);
        }
        self.check_judge(word, node);
        Some(Predicate::Plain(word, operand))
    }

    fn schema(
        &mut self,
        node: &Node,
        compiled: Result<CompiledSchema, crate::assert::check::operand::OperandError>,
    ) -> Option<Predicate> {
        match compiled {
            Ok(schema) => Some(Predicate::Plain(
                Word::Schema,
                PredicateOperand::Ready(Matcher::Schema(Arc::new(schema))),
            )),
            Err(error) => {
                self.operand_problem(node, error);
                None
            }
        }
    }

    fn negation(&mut self, node: &Node, case: CaseRule) -> Option<Predicate> {
        let known: Vec<&str> = WORDS.iter().map(|(key, _)| *key).collect();
        let Some(entries) = node.as_map() else {
            self.reader.problem_with_help(
                node.mark,
                format!("`not` must be a mapping of predicates, found {}", node.kind()),
                "write `not: { contains: … }`",
            );
            return None;
        };
        if entries.is_empty() {
            self.reader.problem(node.mark, "an empty `not` holds for every value");
            return None;
        }
        for entry in entries.iter().filter(|entry| Word::of(&entry.key).is_none()) {
            let help = match entry.key.as_str() {
                "exists" => "write `exists: false` instead",
                "count" => "write a `count` that says what is wanted",
                "not" => "take the predicate out of both",
                "snapshot" => "take it out of `not`: a snapshot is what the value should be",
                "ignore_case" | "ignore" => "write it beside `not`",
                _ => {
                    self.reader.unknown_key(entry, "`not`", &known);
                    continue;
                }
            };
            self.reader.problem_with_help(
                entry.mark,
                format!("`{}` cannot be used under `not`", entry.key),
                help,
            );
        }
        Some(Predicate::Not(self.predicates(entries, case)))
    }

    fn case(&mut self, node: Option<&Node>) -> Option<CaseRule> {
        let Some(node) = node else { return Some(CaseRule::Exact) };
        let flag = self.reader.boolean(node, "`ignore_case`")?;
        Some(if flag.value { CaseRule::Ignore } else { CaseRule::Exact })
    }

    fn equality(&mut self, ignore: Option<&Node>, ignore_case: CaseRule) -> Option<Equality> {
        let mut equality =
            Equality { options: EqualOptions { ignore_case, ignore: Vec::new() }, late: Vec::new() };
        let Some(node) = ignore else { return Some(equality) };
        let items = self.reader.list(node, "`ignore`");
        if items.is_empty() {
            self.reader.problem(node.mark, "`ignore` must be a list of paths that is not empty");
            return None;
        }
        for item in items {
            match self.operand(item, parse_path)? {
                PredicateOperand::Ready(path) if path.as_str().trim() == "$" => {
                    self.reader.problem(item.mark, "`ignore: [$]` leaves nothing to compare");
                }
                PredicateOperand::Ready(path) => equality.options.ignore.push(path),
                PredicateOperand::Late(template) => equality.late.push(template),
            }
        }
        Some(equality)
    }

    /// A modifier must have something to modify.
    fn check_modifiers(&mut self, entries: &[MapEntry], predicates: &[Predicate]) {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let has_snapshot = find("snapshot").is_some();
        let unused = |has: fn(Word) -> bool| !has_snapshot && !some_word(predicates, has);
        if let Some(entry) = find("ignore_case").filter(|_| unused(Word::has_case)) {
            self.reader
                .problem(entry.mark, "`ignore_case` changes nothing here: no predicate compares texts");
        }
        if let Some(entry) = find("ignore").filter(|_| unused(Word::has_ignore)) {
            let message = "`ignore` changes nothing here: it is for `equals`, `includes` and `snapshot`";
            self.reader.problem(entry.mark, message);
        }
        let alone = entries.iter().filter(|entry| family(&entry.key) == Some(KeyFamily::Predicate));
        let only_list = alone.clone().count() > 0
            && alone.clone().all(|entry| matches!(entry.key.as_str(), "count" | "exists"));
        for key in ["match", "transform"] {
            if let Some(entry) = find(key).filter(|_| only_list) {
                let message =
                    format!("`{key}` changes nothing here: `count` and `exists` look at the list itself");
                self.reader.problem(entry.mark, message);
            }
        }
    }

    /// Nothing can be asked of a value that must not exist.
    fn check_exists(
        &mut self,
        entries: &[MapEntry],
        exists: Option<&PredicateOperand<bool>>,
        predicates: &[Predicate],
    ) {
        let Some(entry) = entries.iter().find(|entry| entry.key == "exists") else { return };
        let is_other = |entry: &MapEntry| matches!(entry.key.as_str(), "count" | "snapshot");
        let others = !predicates.is_empty() || entries.iter().any(is_other);
        if others && exists.and_then(PredicateOperand::ready) == Some(&false) {
            self.reader.problem(
                entry.mark,
                "`exists: false` leaves no value that the other predicates could hold for",
            );
        }
        let none = entries.iter().find(|entry| entry.key == "match" && entry.value.as_text() == Some("none"));
        if let Some(none) = none.filter(|_| !predicates.is_empty()) {
            let message = "`match: none` and `exists` cannot be used in one assertion";
            self.reader.problem_with_help(
                none.mark,
                message,
                "a value must be there for `match: none` to hold: leave `exists` out",
            );
        }
    }
}

fn some_word(predicates: &[Predicate], has: fn(Word) -> bool) -> bool {
    predicates.iter().any(|predicate| match predicate {
        Predicate::Plain(word, _) => has(*word),
        Predicate::Not(inner) => some_word(inner, has),
    })
}
