//! The known fields of one answer or event as a tree, and the deviations of a value from it. A value without deviations costs hardly
//! any allocation.

use std::borrow::Cow;

use super::deviation::{Deviation, bounded};
use crate::base::borrowed_json::BorrowedValue;

/// Most differences of one answer or event.
const MOST: usize = 32;

/// A known field, with the fields that are known below it.
#[derive(Debug)]
pub(super) struct KnownField {
    /// The path as the table has it: `data.reasons[].form_id`; empty for the whole.
    path: &'static str,
    /// Its name in the object that holds it.
    name: &'static str,
    /// Its types as the table has them: `string?`, `integer|number`, `any`.
    written: &'static str,
    types: FieldTypes,
    presence: FieldPresence,
    /// In the table's order, which is that of the recordings.
    members: Vec<KnownField>,
    /// What a list holds; `None` where that is not known.
    items: Option<Box<KnownField>>,
}

/// Whether a field may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldPresence {
    Required,
    Optional,
}

/// Which types a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FieldTypes {
    any: bool,
    null: bool,
    boolean: bool,
    integer: bool,
    number: bool,
    string: bool,
    array: bool,
    object: bool,
}

impl FieldTypes {
    fn read(written: &str) -> Self {
        let has = |word: &str| written.trim_end_matches('?').split('|').any(|known| known == word);
        Self {
            any: written == "any",
            null: written.ends_with('?'),
            boolean: has("boolean"),
            integer: has("integer") || has("number"),
            number: has("number"),
            string: has("string"),
            array: has("array"),
            object: has("object"),
        }
    }

    fn accept(self, value: &BorrowedValue<'_>) -> bool {
        self.any
            || match value {
                BorrowedValue::Null => self.null,
                BorrowedValue::Bool(_) => self.boolean,
                BorrowedValue::Number(number) if number.is_f64() => self.number,
                BorrowedValue::Number(_) => self.integer,
                BorrowedValue::Text(_) => self.string,
                BorrowedValue::Array(_) => self.array,
                BorrowedValue::Object(_) => self.object,
            }
    }
}

impl KnownField {
    /// A whole answer or event, of which nothing is known yet.
    pub fn root() -> Self {
        Self::new("", "", "object", FieldPresence::Required)
    }

    fn new(path: &'static str, name: &'static str, written: &'static str, presence: FieldPresence) -> Self {
        let types = FieldTypes::read(written);
        Self { path, name, written, types, presence, members: Vec::new(), items: None }
    }

    /// Adds a line of the table: `~data.error`, `string?`. The table names an object before its fields.
    pub fn add(&mut self, line: &'static str, written: &'static str) {
        let path = line.trim_start_matches('~');
        let presence = if path == line { FieldPresence::Required } else { FieldPresence::Optional };
        if let Some(list) = path.strip_suffix("[]") {
            if let Some(list) = self.at(list) {
                list.items = Some(Box::new(Self::new(path, "", written, presence)));
            }
            return;
        }
        let (holder, name) = path.rsplit_once('.').unwrap_or(("", path));
        if let Some(holder) = self.at(holder) {
            holder.members.push(Self::new(path, name, written, presence));
        }
    }

    /// The field of this path.
    fn at(&mut self, path: &str) -> Option<&mut Self> {
        let mut field = self;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let name = step.trim_end_matches("[]");
            field = field.members.iter_mut().find(|member| member.name == name)?;
            for _ in 0..(step.len() - name.len()) / 2 {
                field = field.items.as_deref_mut()?;
            }
        }
        Some(field)
    }

    /// Adds the deviations of a whole answer or event, which they name.
    pub fn check(&self, name: &str, json: &BorrowedValue<'_>, found: &mut Vec<Deviation>) {
        let most = found.len() + MOST;
        self.walk(&mut AnswerWalk { answer: name, found, most }, json);
    }

    /// Checks what a value of a known type holds; below `any` nothing is known.
    fn walk(&self, walk: &mut AnswerWalk<'_>, value: &BorrowedValue<'_>) {
        match value {
            BorrowedValue::Object(members) => {
                for missing in self.members.iter().filter(|member| member.is_missing_from(members)) {
                    walk.report(Deviation::MissingField {
                        answer: walk.answer.to_owned(),
                        path: missing.path.to_owned(),
                    });
                }
                let mut next = 0;
                for (key, member) in members {
                    match self.member(key, &mut next) {
                        Some(field) => field.visit(walk, member),
                        None => walk.report_new_field(self.path, key, member),
                    }
                }
            }
            BorrowedValue::Array(items) => {
                let Some(field) = &self.items else { return };
                // The items of a list are alike: one of each type is enough, but every object is checked.
                let mut seen = Vec::new();
                for item in items {
                    let found = type_name(item);
                    let is_new = !seen.contains(&found);
                    if is_new {
                        seen.push(found);
                    }
                    if is_new || matches!(item, BorrowedValue::Object(_)) {
                        field.visit(walk, item);
                    }
                }
            }
            BorrowedValue::Null
            | BorrowedValue::Bool(_)
            | BorrowedValue::Number(_)
            | BorrowedValue::Text(_) => {}
        }
    }

    /// Checks one value, and what it holds.
    fn visit(&self, walk: &mut AnswerWalk<'_>, value: &BorrowedValue<'_>) {
        if !self.types.accept(value) {
            walk.report(Deviation::ChangedType {
                answer: walk.answer.to_owned(),
                path: bounded(self.path),
                known: self.written,
                found: type_name(value),
            });
        } else if !self.types.any && !walk.is_full() {
            self.walk(walk, value);
        }
    }

    /// The known member of this name; members mostly come in the order of the table.
    fn member(&self, name: &str, next: &mut usize) -> Option<&Self> {
        let is_it = |index: &usize| self.members.get(*index).is_some_and(|member| member.name == name);
        let index = Some(*next).filter(is_it);
        let index = index.or_else(|| self.members.iter().position(|member| member.name == name))?;
        *next = index + 1;
        self.members.get(index)
    }

    fn is_missing_from(&self, members: &[(Cow<'_, str>, BorrowedValue<'_>)]) -> bool {
        self.presence == FieldPresence::Required && !members.iter().any(|(key, _)| key == self.name)
    }
}

/// One walk through an answer, and the deviations it finds.
struct AnswerWalk<'a> {
    /// The name of the answer or event.
    answer: &'a str,
    found: &'a mut Vec<Deviation>,
    /// Nothing is added once this many are found.
    most: usize,
}

impl AnswerWalk<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    fn report(&mut self, deviation: Deviation) {
        if !self.is_full() {
            self.found.push(deviation);
        }
    }

    fn report_new_field(&mut self, holder: &str, key: &str, value: &BorrowedValue<'_>) {
        let path = if holder.is_empty() { key.to_owned() } else { format!("{holder}.{key}") };
        self.report(Deviation::NewField {
            answer: self.answer.to_owned(),
            path: bounded(&path),
            found: type_name(value),
        });
    }
}

/// The name of a value's type, as the tables write it.
fn type_name(value: &BorrowedValue<'_>) -> &'static str {
    match value {
        BorrowedValue::Null => "null",
        BorrowedValue::Bool(_) => "boolean",
        BorrowedValue::Number(number) if number.is_f64() => "number",
        BorrowedValue::Number(_) => "integer",
        BorrowedValue::Text(_) => "string",
        BorrowedValue::Array(_) => "array",
        BorrowedValue::Object(_) => "object",
    }
}
