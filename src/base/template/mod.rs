//! Templates in MiniJinja: compiled once when suites load, rendered for each attempt in a [`TemplateScope`].
//!
//! Strict about undefined names, without files, includes, clock or randomness, and bounded in work. What a template yields is
//! never rendered again. Text without `{{` is literal, and a value that is one whole `{{ expression }}` keeps its type.

mod calls;
mod compiled;
mod convert;
mod errors;
mod extent;
mod inspect;
mod long_number;
mod output;
mod scope;
mod whole;

use std::collections::HashMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

pub use self::compiled::{Template, TemplateId};
pub use self::errors::TemplateError;
pub use self::inspect::{EnvName, Guard};
pub use self::scope::TemplateScope;
use super::panics::{CaughtPanic, catch};

use self::convert::to_json;
use self::errors::{UNDEFINED, describe};
use self::extent::check_extent;
use self::inspect::{Inspected, Usage, inspect};
use self::long_number::{float, holds_long};
use self::output::{Rendered, SLOT, format_value, name_of};
use self::whole::{dotted_name, whole_expression};

/// The work one rendering may do: roughly instructions, plus one for each 64 bytes made.
const FUEL: u64 = 1_000_000;
/// The work of all renderings together that are tried out while suites load.
const MOST_TRIED: u64 = 100_000_000;

/// An arena of compiled templates.
pub struct Templates {
    environment: Environment<'static>,
    known: HashMap<String, Template>,
    names: Vec<Vec<String>>,
    /// For each template the one dotted name it consists of, if it does: looked up without the engine.
    paths: Vec<Option<String>>,
    /// For each template the variables of the environment that it reads.
    env: Vec<Vec<EnvName>>,
    /// For each template what it does with its values.
    usage: Vec<Usage>,
    /// The work that was spent on trying out.
    tried: u64,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// Makes an empty arena.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("the default delimiters are valid"));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // No template finds another, whatever its name.
        environment.set_path_join_callback(|_, _| "".into());
        environment.set_formatter(format_value);
        // It prints every name with its value.
        environment.remove_global("debug");
        environment.add_filter("float", float);
        Self {
            environment,
            known: HashMap::new(),
            names: Vec::new(),
            paths: Vec::new(),
            env: Vec::new(),
            usage: Vec::new(),
            tried: 0,
        }
    }

    /// Compiles one text; without `{{` it is literal.
    pub fn compile(&mut self, source: &str) -> Result<Template, TemplateError> {
        if !source.contains("{{") {
            return Ok(Template::Literal(Value::String(source.to_owned())));
        }
        if let Some(template) = self.known.get(source) {
            return Ok(template.clone());
        }
        check_extent(source, self.environment.syntax())?;
        let id = TemplateId(self.names.len());
        let compiles = |inner: &str| {
            let compiled = catch(|| self.environment.compile_expression_owned(inner.to_owned()).is_ok());
            compiled.unwrap_or(false)
        };
        let is_whole = whole_expression(source).is_some_and(compiles);
        let template = if is_whole { Template::Typed(id) } else { Template::Text(id) };
        // Blanks around a whole expression would not reach the value, but they keep the spans right.
        let panicked = |panic: CaughtPanic| TemplateError { message: panic.to_string(), span: None };
        let inspected = catch(|| inspect(&self.environment, source)).map_err(panicked)?;
        let Inspected { env, usage } = inspected.map_err(|error| *error)?;
        let name = name_of(&template, usage);
        let added = catch(|| self.environment.add_template_owned(name, source.to_owned()));
        added.map_err(panicked)?.map_err(|error| describe(&error))?;
        self.usage.push(usage);
        self.names.push(self.undeclared(&template, &env));
        self.env.push(env);
        self.paths.push(whole_expression(source).filter(|_| is_whole).and_then(dotted_name));
        self.known.insert(source.to_owned(), template.clone());
        Ok(template)
    }

    /// Stands for a text that does not compile: it is no literal of which more could be said.
    pub fn unsound() -> Template {
        Template::Text(TemplateId(usize::MAX))
    }

    /// Renders to a value; a whole expression keeps its type.
    pub fn render(&self, template: &Template, scope: &TemplateScope) -> Result<Value, TemplateError> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Text(id) => {
                self.render_source(template, *id, scope).map(|rendered| Value::String(rendered.text))
            }
            Template::Typed(id) => {
                let value = match self.look_up(*id, scope) {
                    Some(value) => value,
                    None => self.render_source(template, *id, scope)?.value.unwrap_or_default(),
                };
                to_json(&value).map_err(|error| self.explain(error, *id, scope))
            }
            Template::List(items) => items.iter().map(|item| self.render(item, scope)).collect(),
            Template::Map(members) => {
                let members =
                    members.iter().map(|(key, member)| Ok((key.clone(), self.render(member, scope)?)));
                members.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    /// Renders to text: strings bare, everything else as JSON.
    pub fn render_text(&self, template: &Template, scope: &TemplateScope) -> Result<String, TemplateError> {
        match self.render(template, scope)? {
            Value::String(text) => Ok(text),
            value
            @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Ok(value.to_string())
            }
        }
    }

    /// Lists the names a template asks its scope for, such as `vars.shop` or `env.KEY`, sorted, each once.
    pub fn names(&self, template: &Template) -> Vec<String> {
        let mut names = match template {
            Template::Literal(_) => Vec::new(),
            Template::Text(id) | Template::Typed(id) => self.names.get(id.0).cloned().unwrap_or_default(),
            Template::List(items) => items.iter().flat_map(|item| self.names(item)).collect(),
            Template::Map(members) => members.iter().flat_map(|(_, member)| self.names(member)).collect(),
        };
        names.sort();
        names.dedup();
        names
    }

    /// Renders a template while suites load, to see whether it can be rendered.
    ///
    /// The work of all such renderings together is bounded; beyond that nothing is tried.
    pub fn try_out(&mut self, template: &Template, scope: &TemplateScope) -> Result<(), TemplateError> {
        let (Template::Text(id) | Template::Typed(id)) = template else { return Ok(()) };
        if self.tried > MOST_TRIED {
            return Ok(());
        }
        let rendered = match (template, self.look_up(*id, scope)) {
            (Template::Typed(_), Some(value)) => {
                Ok(Rendered { value: Some(value), text: String::new(), work: 10 })
            }
            _ => self.render_source(template, *id, scope),
        };
        self.tried += rendered.as_ref().map_or(FUEL / 100, |rendered| rendered.work + 10);
        match rendered? {
            Rendered { value: Some(value), .. } => {
                to_json(&value).map(drop).map_err(|error| self.explain(error, *id, scope))
            }
            Rendered { value: None, .. } => Ok(()),
        }
    }

    /// The dotted name, such as `row.city`, of which a template consists.
    pub fn dotted(&self, template: &Template) -> Option<&str> {
        match template {
            Template::Typed(id) => self.paths.get(id.0)?.as_deref(),
            Template::Literal(_) | Template::Text(_) | Template::List(_) | Template::Map(_) => None,
        }
    }

    /// Lists the variables of the environment that a template reads, in the order written.
    pub fn env_names(&self, template: &Template) -> &[EnvName] {
        match template {
            Template::Text(id) | Template::Typed(id) => self.env.get(id.0).map_or(&[], Vec::as_slice),
            Template::Literal(_) | Template::List(_) | Template::Map(_) => &[],
        }
    }

    fn render_source(
        &self,
        template: &Template,
        id: TemplateId,
        scope: &TemplateScope,
    ) -> Result<Rendered, TemplateError> {
        self.refuse_long(id, scope)?;
        let compiled = self.environment.get_template(&name_of(template, self.usage_of(id)));
        let compiled = compiled.map_err(|error| describe(&error))?;
        let captured = compiled
            .render_captured(scope.context())
            .map_err(|error| self.explain(describe(&error), id, scope))?;
        let value = captured.state().get_temp(SLOT);
        let work = captured.state().fuel_levels().map_or(0, |(consumed, _)| consumed);
        Ok(Rendered { value, text: captured.into_output(), work })
    }

    fn refuse_long(&self, id: TemplateId, scope: &TemplateScope) -> Result<(), TemplateError> {
        if self.usage_of(id) == Usage::Passes || !scope.has_long() {
            return Ok(());
        }
        let values = self.names[id.0].iter().filter_map(|name| scope.value(name));
        let message = values.into_iter().find_map(|value| holds_long(&value));
        message.map_or(Ok(()), |message| Err(TemplateError { message, span: None }))
    }

    fn usage_of(&self, id: TemplateId) -> Usage {
        self.usage.get(id.0).copied().unwrap_or(Usage::Passes)
    }

    /// The value of a template that is one dotted name; `None` where it has none, which the engine then explains.
    fn look_up(&self, id: TemplateId, scope: &TemplateScope) -> Option<minijinja::Value> {
        scope.value(self.paths.get(id.0)?.as_deref()?)
    }

    fn undeclared(&self, template: &Template, env: &[EnvName]) -> Vec<String> {
        let (Template::Text(id) | Template::Typed(id)) = template else { return Vec::new() };
        let found = self.environment.get_template(&name_of(template, self.usage_of(*id)));
        let Ok(compiled) = found else { return Vec::new() };
        let names = compiled.undeclared_variables(true).into_iter();
        let is_global = |name: &String| self.environment.globals().any(|(global, _)| global == name);
        let is_env = |name: &String| name.split('.').next() == Some("env");
        let own = names.filter(|name| !is_global(name) && !is_env(name));
        own.chain(env.iter().map(|read| format!("env.{}", read.name))).collect()
    }

    /// Names the missing variable where the engine could not.
    fn explain(&self, error: TemplateError, id: TemplateId, scope: &TemplateScope) -> TemplateError {
        if error.message != UNDEFINED {
            return error;
        }
        let mut names = self.names.get(id.0).cloned().unwrap_or_default();
        names.sort();
        match names.into_iter().find(|name| !scope.has(name)) {
            Some(name) => TemplateError { message: format!("`{name}` is not defined"), span: error.span },
            None => TemplateError {
                message: "the expression has no value: something in it is not defined".to_owned(),
                span: error.span,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scope() -> TemplateScope {
        let vars = json!({
            "shop": "Northwind", "n": 9007199254740993_i64, "big": u64::MAX, "f": 1.0, "yes": true, "none": null,
            "list": [1, "a", null], "map": {"b": 1, "a": [true]}, "tpl": "{{ vars.shop }}", "html": "<b> & \"q\""
        });
        let env = Arc::new([("KEY".to_owned(), "s3cret".to_owned())].into());
        let scope =
            TemplateScope::new().with_vars(&vars).with_row(Some(&json!({"total": "12.50", "city": "Rome"})));
        scope.with_env(env).with_test("refund").with_run("r1").with_repeat(2)
    }

    fn render(source: &str) -> Result<Value, TemplateError> {
        let mut templates = Templates::new();
        let template = templates.compile(source)?;
        templates.render(&template, &scope())
    }

    fn message(source: &str) -> String {
        render(source).unwrap_err().message
    }

    /// 32 times as much to render takes about 32 times the steps, whichever way it is written.
    #[test]
    fn the_steps_of_rendering_grow_with_what_is_rendered() {
        let steps = |source: &str, items: usize| {
            let mut templates = Templates::new();
            let template = templates.compile(source).unwrap();
            let (Template::Typed(id) | Template::Text(id)) = &template else { panic!("{source} is literal") };
            let list: Vec<Value> = (0..items).map(|item| json!({ "n": item, "s": "a b" })).collect();
            let scope = TemplateScope::new().with_vars(&json!({ "list": list, "t": "a b ".repeat(items) }));
            templates.render_source(&template, *id, &scope).unwrap().work
        };
        for source in [
            "{{ vars.list }}",
            "x {% for item in vars.list %}{{ item.n }} {% endfor %}",
            "x {% for item in vars.list if item.n > 3 %}{{ item.s | upper }}{% endfor %}",
            "{{ vars.list | map(attribute='n') | join(',') }}",
            "x {{ vars.t | upper | trim }}",
            "{{ vars.t | replace('a', 'b') | length }}",
        ] {
            let (short, long) = (steps(source, 10), steps(source, 320));
            assert!(short > 0 && long <= 40 * short, "{source}: {short} steps, then {long}");
        }
        let written = |count: usize| steps(&"{{ vars.t }} ".repeat(count), 1);
        let (short, long) = (written(10), written(320));
        assert!(long <= 40 * short, "a long template: {short} steps, then {long}");
    }

    #[test]
    fn text_without_expressions_is_literal() {
        for source in ["", "plain", "{% if %}", "{# no", "{ { }", "a }} b", "100 %}\n"] {
            let template = Templates::new().compile(source).unwrap();
            assert_eq!(template, Template::Literal(json!(source)));
        }
    }

    #[test]
    fn text_is_filled_in() {
        for (source, expected) in [
            ("Hi {{ vars.shop }}!", "Hi Northwind!"),
            (
                "{{ row.city }}, {{ env.KEY }} {{ test.name }} {{ run.id }} {{ repeat.index }}",
                "Rome, s3cret refund r1 2",
            ),
            ("{{ vars.shop }}{{ vars.shop }}", "NorthwindNorthwind"),
            ("line {{ vars.yes }}\n", "line true\n"),
            ("x {{ vars.none }}", "x null"),
            ("x {{ vars.list }} {{ vars.map }}", "x [1,\"a\",null] {\"b\":1,\"a\":[true]}"),
            ("x {{ vars.f }} {{ vars.n }} {{ vars.big }}", "x 1.0 9007199254740993 18446744073709551615"),
            ("{% raw %}{{ kept }}{% endraw %}", "{{ kept }}"),
            ("x {{ vars.html }}", "x <b> & \"q\""),
            ("x {{ vars.tpl }}", "x {{ vars.shop }}"),
            ("{% for i in vars.list %}{{ i }};{% endfor %}", "1;a;null;"),
            ("x {{ 'y' if false }}", "x "),
            ("{{ '}}' }} {{ \"{{\" }}", "}} {{"),
            ("x {{ env.NOPE | default('fallback') }}", "x fallback"),
            ("{{ vars.map | tojson }}.", "{\"b\": 1, \"a\": [true]}."),
        ] {
            assert_eq!(render(source).as_ref(), Ok(&json!(expected)), "{source}");
        }
    }

    #[test]
    fn a_whole_expression_keeps_its_type() {
        for (source, expected) in [
            ("{{ vars.n }}", json!(9007199254740993_i64)),
            ("  {{ vars.big }}\n", json!(u64::MAX)),
            ("{{vars.f}}", json!(1.0)),
            ("{{ vars.yes }}", json!(true)),
            ("{{ vars.none }}", json!(null)),
            ("{{ vars.list }}", json!([1, "a", null])),
            ("{{ vars.map }}", json!({"b": 1, "a": [true]})),
            ("{{- vars.map.a -}}", json!([true])),
            ("{{ row.total | float }}", json!(12.5)),
            ("{{ '7' | int + 1 }}", json!(8)),
            ("{{ '}}' }}", json!("}}")),
            ("{{ 'a' }}", json!("a")),
            ("{{ 1 }}", json!(1)),
            ("{{ {'a': {'b': 1}} }}", json!({"a": {"b": 1}})),
            ("{{ {'a': {'b': 1}}}}", json!({"a": {"b": 1}})),
            ("{{ range(3) }}", json!([0, 1, 2])),
            ("{{ vars.tpl }}", json!("{{ vars.shop }}")),
            ("{{ repeat.index }}", json!(2)),
            ("{{ vars.nope | default(none) }}", json!(null)),
            ("{{ vars['shop'] }}", json!("Northwind")),
            ("{{ -1 }}", json!(-1)),
        ] {
            assert_eq!(render(source).as_ref(), Ok(&expected), "{source}");
        }
        let order: Vec<String> =
            render("{{ vars.map }}").unwrap().as_object().unwrap().keys().cloned().collect();
        assert_eq!(order, ["b", "a"]);
    }

    #[test]
    fn a_dotted_name_is_looked_up_as_the_engine_would() {
        for source in [
            "vars.n",
            "vars.map",
            "vars.map.a",
            "row.city",
            "env.KEY",
            "test.name",
            "run.id",
            "repeat.index",
            "vars.none",
        ] {
            let plain = render(&format!("{{{{ {source} }}}}"));
            assert_eq!(plain, render(&format!("{{{{ ({source}) }}}}")), "{source}");
            assert!(plain.is_ok(), "{source}");
        }
        for source in ["vars.nope", "vars.map.a.b", "nope.x", "row.true", "vars.none.x", "vars"] {
            let (plain, engine) =
                (render(&format!("{{{{ {source} }}}}")), render(&format!("{{{{ ({source}) }}}}")));
            assert_eq!(
                plain.map_err(|error| error.message),
                engine.map_err(|error| error.message),
                "{source}"
            );
        }
    }

    #[test]
    fn what_only_looks_whole_is_text() {
        for (source, expected) in [
            ("{{ 'a' }}{{ 'b' }}", "ab"),
            ("{{ 1 }} }}", "1 }}"),
            ("{{ 'a' }} x {{ 'b' }}", "a x b"),
            ("{{ 1 }}{# c #}{{ 2 }}", "12"),
        ] {
            assert_eq!(render(source).as_ref(), Ok(&json!(expected)), "{source}");
        }
    }

    #[test]
    fn undefined_names_are_named() {
        for (source, name) in [
            ("{{ vars.nope }}", "vars.nope"),
            ("Hi {{ vars.nope }}", "vars.nope"),
            ("{{ vars.nope.deeper }}", "vars.nope"),
            ("{{ row.nope }} x", "row.nope"),
            ("{{ env.NOPE }}", "env.NOPE"),
            ("{{ shop }}", "shop"),
            ("{{ [1, vars.nope] }}", "vars.nope"),
            ("x {{ {'a': vars.nope} }}", "vars.nope"),
            ("{{ vars.nope | upper }}", "vars.nope"),
            ("{{ vars.nope + 1 }}", "vars.nope"),
            ("{% if vars.nope %}{{ 1 }}{% endif %}", "vars.nope"),
            ("{% for x in vars.nope %}{{ x }}{% endfor %}", "vars.nope"),
        ] {
            assert!(
                message(source).contains(&format!("`{name}` is not defined")),
                "{source}: {}",
                message(source)
            );
        }
        let mut templates = Templates::new();
        let template = templates.compile("{{ row.city }}").unwrap();
        assert_eq!(
            templates.render(&template, &TemplateScope::new()).unwrap_err().message,
            "`row.city` is not defined"
        );
        assert!(message("{{ 1 if false }}").contains("no value"));
    }

    #[test]
    fn errors_have_spans_in_the_text() {
        let source = "Grüße {{ vars.nope }}!";
        let span = render(source).unwrap_err().span.unwrap();
        assert!(source[span.clone()].contains("nope"), "{:?}", &source[span]);
        let source = "  {{ vars.nope }}";
        let span = render(source).unwrap_err().span.unwrap();
        assert!(source[span.clone()].contains("nope"), "{:?}", &source[span]);
    }

    #[test]
    fn bad_templates_do_not_compile() {
        for source in [
            "{{ }}",
            "{{ a",
            "{{ a b }}",
            "{{ a }",
            "{% if x %}{{ x }}",
            "x {{ 1 | nofilter }}",
            "{{ 1 | nofilter }}",
            "{{ 1 is notest }}",
        ] {
            let error = Templates::new().compile(source).err().or_else(|| render(source).err());
            assert!(error.is_some(), "{source}");
        }
        assert!(Templates::new().compile("{{ a b }}").is_err());
        assert!(message("{{ nofunction() }}").contains("nofunction"));
    }

    #[test]
    fn runaway_templates_end() {
        for source in [
            "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}",
            "{{ 'x' * 10000000000 }}",
            "{% set ns = namespace() %}{% set ns.x = [ns, ns] %}{{ ns }}",
            "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        ] {
            assert!(render(source).is_err(), "{source}");
        }
    }

    #[test]
    fn no_template_finds_another() {
        let mut templates = Templates::new();
        templates.compile("{{ 'other' }}!").unwrap();
        for source in [
            "{% include 'text-0' %}{{ 1 }}",
            "{% include '/etc/passwd' %}{{ 1 }}",
            "{% extends 'text-0' %}{{ 1 }}",
            "{% import 'text-0' as other %}{{ 1 }}",
            "{% from 'text-0' import other %}{{ 1 }}",
            "{% if false %}{% include 'text-0' %}{% endif %}{{ 1 }}",
        ] {
            let error = templates.compile(source).unwrap_err();
            assert!(error.message.contains("cannot include"), "{source}: {error}");
        }
    }

    #[test]
    fn what_can_only_fail_does_not_compile_wherever_it_stands() {
        for (source, expected) in [
            ("{{ row.q | uper }}", "there is no filter `uper`; did you mean `upper`?"),
            ("{{ row.q if row.q else (row.q | uper) }}", "there is no filter `uper`"),
            ("{% if false %}{{ [1 | nosuch] }}{% endif %}{{ 1 }}", "there is no filter `nosuch`"),
            ("{% filter nosuch %}a{% endfilter %}{{ 1 }}", "there is no filter `nosuch`"),
            ("{{ vars.list | map('uper') | list }}", "there is no filter `uper`"),
            ("{{ row.q is strnig }}", "there is no test `strnig`; did you mean `string`?"),
            ("{{ 1 if row.q is not strnig else 2 }}", "there is no test `strnig`"),
            ("{{ vars.list | select('strnig') | list }}", "there is no test `strnig`"),
            ("{{ vars.list | rejectattr('a', 'strnig') | list }}", "there is no test `strnig`"),
            ("{{ row.q.strip() }}", "no `strip()`; write `| trim` after the value"),
            ("{{ 'a'.upper() }}", "no `upper()`; write `| upper` after the value"),
            ("{{ (row.q | trim).nosuch(1) }}", "values have no methods, and so no `nosuch()`"),
            ("{% for i in vars.list %}{{ loop.nosuch() }}{% endfor %}", "no `nosuch()`"),
            ("{{ row.q | replace('a') }}", "the filter `replace` cannot be called so: missing argument"),
            ("{{ row.q | upper(1, 2) }}", "the filter `upper` cannot be called so: too many arguments"),
            (
                "{{ 1 if row.q is divisibleby else 2 }}",
                "the test `divisibleby` cannot be called so: missing argument",
            ),
            ("{{ debug() }}", ""),
        ] {
            let found = message(source);
            assert!(found.contains(expected), "{source}: {found}");
            let compiled = Templates::new().compile(source);
            assert!(compiled.is_err() || expected.is_empty(), "{source}");
        }
        for source in [
            "{{ row.city | replace('a', 'b') | upper }}",
            "{{ vars.list | map('string') | join(', ') }}",
            "{{ vars.list | select('string') | list | length }}",
            "{% for i in vars.list %}{{ loop.cycle(1, 2) }}{% endfor %}",
            "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}",
            "{{ row.city is startingwith('R') }}",
            "{{ vars.nope | default('x', true) | indent(width=2) }}",
            "{{ dict(a=1).a }}",
        ] {
            assert!(render(source).is_ok(), "{source}: {}", message(source));
        }
    }

    #[test]
    fn the_environment_is_read_by_names_that_are_written_out() {
        for source in [
            "{{ env }}",
            "{{ env | tojson }}",
            "{{ env | items }}",
            "{{ env | list }}",
            "{{ env | string }}",
            "{{ env | length }}",
            "{{ env | attr('KEY') }}",
            "{{ env == vars }}",
            "{{ (env) }}",
            "{{ [env] }}",
            "{{ {'a': env} }}",
            "{{ env ~ '' }}",
            "{{ 'KEY' in env }}",
            "{{ env is mapping }}",
            "{{ env[:] }}",
            "{{ env['K' ~ 'EY'] }}",
            "{{ env[row.city] }}",
            "{% for k in env %}{{ k }}{% endfor %}",
            "{% for k, v in env | items %}{{ v }}{% endfor %}",
            "{% set e = env %}{{ e }}",
            "{% set env = 1 %}{{ 1 }}",
            "{% with e = env %}{{ e }}{% endwith %}",
            "{% macro m(e=env) %}{{ e }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ env }}{% endmacro %}{{ 1 }}",
            "{% if false %}{{ env }}{% endif %}{{ 1 }}",
            "{{ range(env) }}",
            "{{ vars.nope | default(env) }}",
        ] {
            let error = Templates::new().compile(source).unwrap_err();
            let says =
                error.message.contains("cannot be listed") || error.message.contains("must be written out");
            assert!(says, "{source}: {error}");
            let span = error.span.unwrap();
            assert!(!span.is_empty() && source.get(span).is_some(), "{source}");
        }
        let mut templates = Templates::new();
        let source = "{{ env.A }} {{ env['B'] | default(env.C) }} {{ env.D is defined }} {{ env.E.x }}";
        let template = templates.compile(source).unwrap();
        let read: Vec<(&str, Guard, &str)> = templates
            .env_names(&template)
            .iter()
            .map(|read| (read.name.as_str(), read.guard, &source[read.span.clone()]))
            .collect();
        assert_eq!(
            read,
            [
                ("A", Guard::None, "env.A"),
                ("B", Guard::Default, "'B'"),
                ("C", Guard::Default, "env.C"),
                ("D", Guard::Default, "env.D"),
                ("E", Guard::None, "env.E"),
            ]
        );
        assert_eq!(templates.names(&template), ["env.A", "env.B", "env.C", "env.D", "env.E"]);
    }

    #[test]
    fn numbers_without_json_form_are_errors() {
        for source in
            ["{{ 'nan' | float }}", "{{ 'inf' | float }}", "x {{ 'nan' | float }}", "{{ [1e308 * 10] }}"]
        {
            assert!(message(source).contains("no JSON form"), "{source}: {}", message(source));
        }
        assert_eq!(render("{{ 2 ** 70 }}").unwrap().to_string(), "1180591620717411303424");
        assert_eq!(render("n {{ 2 ** 70 }}").unwrap(), json!("n 1180591620717411303424"));
    }

    #[test]
    fn numbers_of_any_length_are_passed_on_and_not_calculated_with() {
        let long = serde_json::from_str("{\"n\":0.1000000000000000000001,\"l\":[1e400],\"t\":\"0.1000000000000000000001\",\"i\":18446744073709551616}").unwrap();
        let scope = TemplateScope::new().with_row(Some(&long));
        let render = |source: &str| {
            let mut templates = Templates::new();
            let template = templates.compile(source).unwrap();
            templates.render(&template, &scope).map(|value| value.to_string()).map_err(|error| error.message)
        };
        for (source, expected) in [
            ("{{ row.n }}", "0.1000000000000000000001"),
            ("at {{ row.n }}", "\"at 0.1000000000000000000001\""),
            ("{{ row['n'] | default(1) }}", "0.1000000000000000000001"),
            ("{{ row.l }}", "[1e+400]"),
            ("{{ row.t | float }}", "0.1000000000000000000001"),
            ("{{ row.i + 1 }}", "18446744073709551617"),
            ("{{ row.i == 18446744073709551616 }}", "true"),
        ] {
            assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
        }
        for source in [
            "{{ row.n > 0.05 }}",
            "{{ row.n + 1 }}",
            "{{ row.l | tojson }}",
            "{% if row.n %}{{ 1 }}{% endif %}",
            "{{ (row.t | float) > 0.05 }}",
            "{{ row['l'][0] * 2 }}",
        ] {
            let message = render(source).unwrap_err();
            assert!(message.contains("more digits than a template calculates with"), "{source}: {message}");
        }
    }

    #[test]
    fn names_are_dotted_and_without_globals() {
        let mut templates = Templates::new();
        let template = templates.compile("{{ vars.shop }} {{ env.KEY | default(row.city) }} {% for i in range(2) %}{{ i }}{% endfor %}").unwrap();
        assert_eq!(templates.names(&template), ["env.KEY", "row.city", "vars.shop"]);
    }

    #[test]
    fn the_same_text_is_compiled_once() {
        let mut templates = Templates::new();
        let first = templates.compile("{{ vars.shop }}").unwrap();
        assert_eq!(templates.compile("{{ vars.shop }}").unwrap(), first);
        assert_ne!(templates.compile("{{ vars.shop }} ").unwrap(), first);
        assert!(templates.compile("{{ bad").is_err());
        let next = templates.compile("{{ vars.n }}").unwrap();
        assert_eq!(templates.render(&next, &scope()), Ok(json!(9007199254740993_i64)));
    }

    proptest! {
        #[test]
        fn no_text_panics(source in "\\PC{0,12}\\{\\{[ a-c.'\"|}{%0-9+-]{0,16}\\}\\}\\PC{0,4}") {
            let _ = render(&source);
        }

        #[test]
        fn json_survives_the_way_through(number in any::<i64>(), double in prop::num::f64::NORMAL, text in "\\PC{0,16}") {
            let value = json!({"n": number, "d": double, "t": text, "l": [number, null]});
            let mut templates = Templates::new();
            let template = templates.compile("{{ vars }}").unwrap();
            prop_assert_eq!(templates.render(&template, &TemplateScope::new().with_vars(&value)).unwrap(), value);
        }
    }
}
