//! The names a test's templates may use, bound anew for each attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::template::{Template, TemplateError, TemplateScope, Templates};

/// A suite's `vars` and the environment, before an attempt gives them values.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    /// `vars` in the order written; each may use those before it.
    pub vars: Vec<(String, Template)>,
    /// The environment as `settings` read it.
    pub env: Arc<BTreeMap<String, String>>,
}

/// What sets one attempt apart from the others.
#[derive(Debug, Clone, Copy)]
pub struct AttemptNames<'a> {
    /// `test.name`.
    pub test: &'a str,
    /// `run.id`.
    pub run: &'a str,
    /// `repeat.index`, from 0.
    pub repeat: u32,
    /// `row`, where the test has rows.
    pub row: Option<&'a Value>,
}

impl Bindings {
    /// The scope of one attempt: renders `vars` in order.
    pub fn scope(
        &self,
        templates: &Templates,
        names: AttemptNames<'_>,
    ) -> Result<TemplateScope, TemplateError> {
        let base = TemplateScope::new()
            .with_env(self.env.clone())
            .with_test(names.test)
            .with_run(names.run)
            .with_repeat(u64::from(names.repeat))
            .with_row(names.row);
        let mut vars = Map::new();
        for (name, template) in &self.vars {
            let value = match template {
                Template::Literal(value) => value.clone(),
                Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_) => {
                    let scope = base.clone().with_vars(&Value::Object(vars.clone()));
                    templates.render(template, &scope)?
                }
            };
            vars.insert(name.clone(), value);
        }
        Ok(base.with_vars(&Value::Object(vars)))
    }
}
