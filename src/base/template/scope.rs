//! The names a template sees, and where their values come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Object;
use serde_json::Value;

use super::convert::from_json;
use super::long_number::LongNumber;

/// The names a template sees: `vars.*`, `row.*`, `env.*`, `test.name`, `run.id`, `repeat.index`; cheap to clone and extend.
#[derive(Debug, Clone)]
pub struct TemplateScope {
    vars: minijinja::Value,
    row: minijinja::Value,
    env: minijinja::Value,
    test: minijinja::Value,
    run: minijinja::Value,
    repeat: minijinja::Value,
    /// True where `vars` or `row` hold a number that templates can only pass on.
    has_long: bool,
}

impl Default for TemplateScope {
    fn default() -> Self {
        Self::new()
    }
}

impl TemplateScope {
    /// Makes a scope in which every name is undefined.
    pub fn new() -> Self {
        let empty = minijinja::Value::from_object(Env::default());
        Self {
            vars: empty.clone(),
            row: empty.clone(),
            env: empty.clone(),
            test: empty.clone(),
            run: empty.clone(),
            repeat: empty,
            has_long: false,
        }
    }

    /// Sets `vars.*`, a mapping; converts it once, clones of the scope share it.
    pub fn with_vars(self, vars: &Value) -> Self {
        Self { vars: from_json(vars), has_long: self.has_long || holds_long(vars), ..self }
    }

    /// Sets `row.*`, a data row; `None` leaves its names undefined.
    pub fn with_row(self, row: Option<&Value>) -> Self {
        match row {
            Some(row) => Self { row: from_json(row), has_long: self.has_long || holds_long(row), ..self },
            None => self,
        }
    }

    /// Sets `env.*`, the environment as the settings read it.
    pub fn with_env(self, env: Arc<BTreeMap<String, String>>) -> Self {
        Self { env: minijinja::Value::from_object(Env(env)), ..self }
    }

    /// Sets `test.name`.
    pub fn with_test(self, name: &str) -> Self {
        Self { test: minijinja::context! { name }, ..self }
    }

    /// Sets `run.id`.
    pub fn with_run(self, id: &str) -> Self {
        Self { run: minijinja::context! { id }, ..self }
    }

    /// Sets `repeat.index`.
    pub fn with_repeat(self, index: u64) -> Self {
        Self { repeat: minijinja::context! { index }, ..self }
    }

    /// True where a number in it can only be passed on.
    pub(super) fn has_long(&self) -> bool {
        self.has_long
    }

    /// Gives all names as one mapping.
    pub(super) fn context(&self) -> minijinja::Value {
        let Self { vars, row, env, test, run, repeat, has_long: _ } = self;
        minijinja::context! { vars, row, env, test, run, repeat }
    }

    /// Returns whether a dotted name has a value.
    pub(super) fn has(&self, dotted: &str) -> bool {
        self.value(dotted).is_some()
    }

    /// Gives the value of a dotted name; `None` where any part of it is undefined.
    pub(super) fn value(&self, dotted: &str) -> Option<minijinja::Value> {
        let mut parts = dotted.split('.');
        let root = match parts.next()? {
            "vars" => &self.vars,
            "row" => &self.row,
            "env" => &self.env,
            "test" => &self.test,
            "run" => &self.run,
            "repeat" => &self.repeat,
            _ => return None,
        };
        parts.try_fold(root.clone(), |value, part| {
            value.get_attr(part).ok().filter(|next| !next.is_undefined())
        })
    }
}

fn holds_long(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => false,
        Value::Number(number) => LongNumber::of(number).is_some(),
        Value::Array(items) => items.iter().any(holds_long),
        Value::Object(members) => members.values().any(holds_long),
    }
}

/// The environment as a mapping that is shared, not copied.
#[derive(Debug, Default)]
struct Env(Arc<BTreeMap<String, String>>);

impl Object for Env {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.get(key.as_str()?).map(minijinja::Value::from)
    }

    /// Nothing: what a template reads of the environment it names.
    fn enumerate(self: &Arc<Self>) -> minijinja::value::Enumerator {
        minijinja::value::Enumerator::NonEnumerable
    }
}
