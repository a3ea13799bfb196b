//! The fields of one answer or event as a tree, and how a value differs from it; where it does not, hardly anything is allocated.

use std::borrow::Cow;

use super::{Deviation, bounded};
use crate::base::borrowed_json::BorrowedValue;

/// Most differences of one answer or event.
const MOST: usize = 32;

/// A known field, with the fields that are known below it.
#[derive(Debug)]
pub(super) struct KnownField {
    /// The path as the table has it: `data.reasons[].form_id`; empty for the whole.
    path: &'static str,
    /// Its name in what holds it.
    name: &'static str,
    /// Its types as the table has them: `string?`, `integer|number`, `any`.
    written: &'static str,
    types: Types,
    presence: FieldPresence,
    /// In the table's order, which is that of the recordings.
    members: Vec<KnownField>,
    /// What a list holds; none where nothing is known of it.
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
struct Types {
    any: bool,
    null: bool,
    boolean: bool,
    integer: bool,
    number: bool,
    string: bool,
    array: bool,
    object: bool,
}

impl Types {
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

    fn take(self, value: &BorrowedValue<'_>) -> bool {
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
        let types = Types::read(written);
        Self { path, name, written, types, presence, members: Vec::new(), items: None }
    }

    /// Adds a line of the table: `~data.error`, `string?`. What holds a field comes before it.
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

    /// How a whole answer or event differs; it is told by its name.
    pub fn check(&self, name: &str, json: &BorrowedValue<'_>, found: &mut Vec<Deviation>) {
        let most = found.len() + MOST;
        self.walk(&mut FieldPath { name, found, most }, json);
    }

    /// Looks at what a value of a known type holds; below `any` nothing is known.
    fn walk(&self, walk: &mut FieldPath<'_>, value: &BorrowedValue<'_>) {
        match value {
            BorrowedValue::Object(members) => {
                for lacking in self.members.iter().filter(|member| member.is_lacking(members)) {
                    walk.tell(Deviation::MissingField(walk.name.to_owned(), lacking.path.to_owned()));
                }
                let mut next = 0;
                for (key, member) in members {
                    match self.member(key, &mut next) {
                        Some(field) => field.visit(walk, member),
                        None => walk.tell_new(self.path, key, member),
                    }
                }
            }
            BorrowedValue::Array(items) => {
                let Some(field) = &self.items else { return };
                // Items are alike: one of each type shows what they are.
                let mut seen = Vec::new();
                for item in items {
                    let is = word(item);
                    let is_new = !seen.contains(&is);
                    if is_new {
                        seen.push(is);
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

    /// Judges one value, and what it holds.
    fn visit(&self, walk: &mut FieldPath<'_>, value: &BorrowedValue<'_>) {
        if !self.types.take(value) {
            walk.tell(Deviation::ChangedType(
                walk.name.to_owned(),
                bounded(self.path),
                self.written,
                word(value),
            ));
        } else if !self.types.any && !walk.is_full() {
            self.walk(walk, value);
        }
    }

    /// The known member of this name; they mostly come in the order of the table.
    fn member(&self, name: &str, next: &mut usize) -> Option<&Self> {
        let is_it = |index: &usize| self.members.get(*index).is_some_and(|member| member.name == name);
        let index = Some(*next).filter(is_it);
        let index = index.or_else(|| self.members.iter().position(|member| member.name == name))?;
        *next = index + 1;
        self.members.get(index)
    }

    fn is_lacking(&self, members: &[(Cow<'_, str>, BorrowedValue<'_>)]) -> bool {
        self.presence == FieldPresence::Required && !members.iter().any(|(key, _)| key == self.name)
    }
}

/// A way through an answer.
struct FieldPath<'a> {
    /// What it is.
    name: &'a str,
    found: &'a mut Vec<Deviation>,
    /// No more is told beyond so many.
    most: usize,
}

impl FieldPath<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    fn tell(&mut self, deviation: Deviation) {
        if !self.is_full() {
            self.found.push(deviation);
        }
    }

    fn tell_new(&mut self, holder: &str, key: &str, value: &BorrowedValue<'_>) {
        let path = if holder.is_empty() { key.to_owned() } else { format!("{holder}.{key}") };
        self.tell(Deviation::NewField(self.name.to_owned(), bounded(&path), word(value)));
    }
}

fn word(value: &BorrowedValue<'_>) -> &'static str {
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
