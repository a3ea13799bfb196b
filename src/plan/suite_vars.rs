//! `vars` of a suite: each may use those before it.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::bindings::Bindings;
use crate::base::template::{Template, TemplateScope, Templates};
use crate::suite::data::ReadState;
use crate::suite::spec::SuiteSpec;
use crate::yaml::environment::SuiteEnv;
use crate::yaml::names::KnownNames;
use crate::yaml::reader::Reader;
use crate::yaml::values::LoadedValues;

/// Stands for `run.id` while suites load.
const RUN: &str = "00000000-0000-4000-8000-000000000000";

/// The `vars` of a suite.
pub(super) struct CompiledVars {
    /// Their templates, and the environment.
    pub bindings: Arc<Bindings>,
    /// The names that its tests may use.
    pub known: KnownNames,
}

/// Compiles `vars`: each may use those before it.
///
/// The names that come back hold the values of `vars`, unless one of them cannot be rendered.
pub(super) fn compile_vars(
    reader: &mut Reader<'_>,
    suite: &SuiteSpec,
    templates: &mut Templates,
    env: Option<Arc<SuiteEnv>>,
) -> CompiledVars {
    let values_of_env = env.as_ref().map(|env| env.values.clone()).unwrap_or_default();
    let base =
        TemplateScope::new().with_env(values_of_env.clone()).with_test("test").with_run(RUN).with_repeat(0);
    let mut known = KnownNames { env, ..KnownNames::default() };
    if suite.vars_read == ReadState::Unread {
        known.unread.push("vars");
    }
    let mut missing: Vec<String> = Vec::new();
    let mut vars = Vec::with_capacity(suite.vars.len());
    let mut values = Map::new();
    for entry in &suite.vars {
        let before = reader.problems.len();
        let template = reader.template(&entry.value, templates, &known);
        let value = match &template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Text(_) | Template::Typed(_) | Template::List(_) | Template::Map(_) => {
                let scope = base.clone().with_vars(&Value::Object(values.clone()));
                templates.render(&template, &scope)
            }
        };
        match value {
            Ok(value) => drop(values.insert(entry.key.clone(), value)),
            Err(error) => {
                let follows = templates.names(&template).iter().any(|name| missing.contains(name));
                if reader.problems.len() == before && known.env.is_some() && !follows {
                    reader.problem(entry.value.mark, format!("template: {error}"));
                }
                missing.push(format!("vars.{}", entry.key));
            }
        }
        vars.push((entry.key.clone(), template));
        known.vars.push(entry.key.clone());
    }
    if missing.is_empty() && known.unread.is_empty() && known.env.is_some() {
        known.values = Some(LoadedValues::new(base.with_vars(&Value::Object(values))));
    }
    CompiledVars { bindings: Arc::new(Bindings { vars, env: values_of_env }), known }
}
