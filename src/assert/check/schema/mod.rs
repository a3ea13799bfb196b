//! JSON Schema: the one room that knows the validator's crates.
//!
//! 2020-12 unless `$schema` says otherwise; a `format` it knows is checked, in every draft. References reach files under the
//! suite's folder, never the network, and only while suites load. The validator cannot be interrupted: what a value would take
//! is counted before it begins.

mod accepts;
mod children;
mod exact;
mod failure;
mod files;
mod graph;
mod keywords;
mod lint;
mod names;
mod shares;
#[cfg(test)]
mod tests;
mod validators;
mod work;

use std::fmt;
use std::path::Path;

use jsonschema::canonical::{self, CanonicalSchema, Satisfiability};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use referencing::Resolver;
use serde_json::Value;

use crate::base::digest::Digest;
use crate::base::effort::Effort;
use crate::base::files::Fence;
use crate::base::json_kind::kind;
use crate::base::panics::{CaughtPanic, catch, with_deep_stack};

use super::operand::OperandError;

pub use self::files::FileRoot;
pub(super) use self::shares::TypeShare;

use self::accepts::accepted;
use self::failure::{cut, failed};
use self::files::{Files, ReferenceReach, absolute, file_uri};
use self::graph::SchemaGraph;
use self::lint::find_idle;
use self::names::names_in;
use self::shares::Shares;
use self::validators::{SchemaBase, Validators, has_long, patterns};
use self::work::{SchemaWork, WorkAmount};

/// How many violations a message names.
const NAMED: usize = 3;
/// Beyond this many steps only the first violation is looked for: each that is collected takes memory.
const COLLECTED: u64 = 100_000;
/// The most schemas of a document whose normal form is looked at too.
const MOST_NORMALIZED: usize = 200;
/// Schemas that lie below each other deeper than this are worked on with a deep stack: the validator calls itself.
const SHALLOW: usize = 40;
/// Where a schema lies that comes from no file.
const NOWHERE: &str = "flowproof:/schema";

/// A compiled schema.
pub(super) struct CompiledSchema {
    validators: Validators,
    work: SchemaWork,
    accepts: Shares,
    /// What the files hold that it was read from; `None` where it is in the suite alone.
    files: Option<Digest>,
    /// The names and short texts in it, up to a bound: names of headers may be among them.
    names: Vec<String>,
}

/// How a value and a schema fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conformance {
    /// The value conforms.
    Conforms,
    /// What of the value violates the schema, in one line.
    Violates(String),
    /// Why it cannot be known.
    Unknown(String),
}

/// What compiling a schema comes to.
struct BuiltSchema {
    validators: Validators,
    work: SchemaWork,
    accepts: Shares,
}

impl fmt::Debug for CompiledSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

impl CompiledSchema {
    /// The names and short texts in it, as they are written.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Compiles an inline schema; without `files` no reference to a file resolves.
    pub(super) fn compile(schema: &Value, files: Option<&FileRoot>) -> Result<Self, OperandError> {
        match schema {
            Value::Object(_) | Value::Bool(_) => {}
            Value::String(_) => {
                return Err(OperandError::new("the path of a schema file cannot be a template"));
            }
            Value::Null | Value::Number(_) | Value::Array(_) => {
                return Err(OperandError::new(format!(
                    "`schema` must be a mapping or a path, found {}",
                    kind(schema)
                )));
            }
        }
        let base = files.map(|files| absolute(&files.folder).join("inline-schema.json"));
        Self::build(schema, base.as_deref(), files, Files::default())
    }

    /// Reads and compiles a schema file, its path relative to the suite.
    pub(super) fn load(path: &str, files: &FileRoot) -> Result<Self, OperandError> {
        let named = files.folder.join(path);
        let read_files = Files::default();
        let schema = read_files.read(&named, &files.fence).map_err(OperandError::new)?;
        let file = absolute(&named);
        if schema.is_string() {
            return Err(OperandError::new(format!("`{path}` holds text, not a JSON Schema")));
        }
        let built = Self::build(&schema, Some(&file), Some(files), read_files);
        built.map_err(|error| match error.at.is_empty() {
            true => error,
            false => OperandError {
                message: format!("{} (in `{path}` at `#/{}`)", error.message, error.at.join("/")),
                help: error.help,
                ..OperandError::new("")
            },
        })
    }

    fn build(
        schema: &Value,
        base: Option<&Path>,
        files: Option<&FileRoot>,
        read: Files,
    ) -> Result<Self, OperandError> {
        match schema {
            Value::Bool(true) => return Err(OperandError::new("the schema `true` holds for every value")),
            Value::Bool(false) => return Err(OperandError::new("the schema `false` can never hold")),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
        }
        let reach = match files {
            Some(files) => {
                let is_held = files.fence.folder().is_some();
                let fence = if is_held { Fence::around(&files.folder) } else { Fence::anywhere() };
                ReferenceReach::Files { fence, read: read.clone() }
            }
            None => ReferenceReach::Nothing,
        };
        let uri = base.map_or_else(|| NOWHERE.to_owned(), file_uri);
        let built = catch(|| Self::build_at(schema, &uri, reach));
        let BuiltSchema { validators, work, accepts } =
            built.unwrap_or_else(|panic| Err(unreadable(panic)))?;
        Ok(Self { validators, work, accepts, files: read.digest(), names: names_in(schema) })
    }

    fn build_at(schema: &Value, uri: &str, reach: ReferenceReach) -> Result<BuiltSchema, OperandError> {
        let registry = Registry::new().retriever(reach.clone()).add(uri, schema);
        let registry = registry.and_then(|registry| registry.prepare()).map_err(|error| failed(&error))?;
        let base = referencing::uri::from_str(uri).map_err(|error| failed(&error))?;
        let draft = Draft::default().detect(schema);
        let resolver: Resolver<'_> = registry.resolver(base);
        let graph = SchemaGraph::of(resolver, draft)?;
        find_idle(&graph)?;
        let work = SchemaWork::of(&graph);
        let finish = || {
            let validators = Validators::of(schema, &graph, SchemaBase { registry: &registry, uri }, &reach)?;
            let accepts = accepted(&graph);
            let has_normal = graph.nodes.len() <= MOST_NORMALIZED && !has_long(&graph);
            let normal = has_normal.then(|| normal_form(schema, &registry, uri));
            check_demands(accepts, normal.flatten())?;
            Ok((validators, accepts))
        };
        let (validators, accepts) = if graph.depth() <= SHALLOW {
            finish()?
        } else {
            with_deep_stack(finish).unwrap_or_else(|panic| Err(unreadable(panic)))?
        };
        Ok(BuiltSchema { validators, work, accepts })
    }

    /// What the files hold that it was read from and refers to; `None` where there are none.
    pub(super) fn files(&self) -> Option<Digest> {
        self.files
    }

    /// The share of each type that conforms: null, booleans, numbers, texts, lists, objects.
    pub(super) fn shares(&self) -> [TypeShare; 6] {
        self.accepts.each()
    }

    /// The share of texts that conform.
    pub(super) fn texts(&self) -> TypeShare {
        self.accepts.of_texts()
    }

    /// Returns whether a value conforms, as long as that is not too much work.
    pub(super) fn check(&self, value: &Value, effort: &Effort<'_>) -> Conformance {
        let amount = match self.work.count(value, effort) {
            Ok(amount) => amount,
            Err(error) => return Conformance::Unknown(format!("the schema was not applied: {error}")),
        };
        let validator = match self.validators.of_value(value) {
            Ok(validator) => validator,
            Err(why) => return Conformance::Unknown(format!("the schema was not applied: {why}")),
        };
        if amount.depth <= SHALLOW {
            return apply(validator, value, amount);
        }
        match with_deep_stack(|| apply(validator, value, amount)) {
            Ok(conformance) => conformance,
            Err(panic) => Conformance::Unknown(panic.to_string()),
        }
    }
}

fn apply(validator: &Validator, value: &Value, amount: WorkAmount) -> Conformance {
    if validator.is_valid(value) {
        return Conformance::Conforms;
    }
    let errors: Vec<ValidationError<'_>> = match amount.steps {
        0..=COLLECTED => validator.iter_errors(value).take(100).collect(),
        _ => validator.validate(value).err().into_iter().collect(),
    };
    let gave_up = |error: &&ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. })
    };
    if let Some(error) = errors.iter().find(gave_up) {
        return Conformance::Unknown(format!(
            "a pattern of the schema was not searched to its end: {}",
            cut(&error.to_string())
        ));
    }
    Conformance::Violates(describe(&errors))
}

/// The first violations in one line.
fn describe(errors: &[ValidationError<'_>]) -> String {
    let named = errors.iter().take(NAMED).map(|error| {
        format!("`${}`: {}", dotted(error.instance_path().as_str()), cut(&error.masked().to_string()))
    });
    let more = errors.len().checked_sub(NAMED).filter(|more| *more > 0);
    named.chain(more.map(|more| format!("and {more} more"))).collect::<Vec<_>>().join("; ")
}

/// The form to which schemas that accept the same values are reduced; `None` where the library has none.
fn normal_form(schema: &Value, registry: &Registry<'_>, uri: &str) -> Option<CanonicalSchema> {
    let options = canonical::options().with_registry(registry).with_base_uri(uri);
    let options = options.with_pattern_options(patterns()).should_validate_formats(true);
    catch(|| options.canonicalize(schema).ok()).ok().flatten()
}

/// Refuses what holds for every value, and for none.
fn check_demands(accepts: Shares, normal: Option<CanonicalSchema>) -> Result<(), OperandError> {
    let is_free = normal.as_ref().is_some_and(|normal| is_free(&normal.to_json_schema()));
    let is_empty = normal.is_some_and(|normal| normal.satisfiability() == Satisfiability::No);
    if accepts.is_all() || is_free {
        return Err(OperandError::new("the schema demands nothing: it would hold for every value"));
    }
    if accepts.is_none() || is_empty {
        return Err(OperandError::new("the schema can never hold: no value satisfies all of it"));
    }
    Ok(())
}

fn unreadable(panic: CaughtPanic) -> OperandError {
    OperandError::new(format!("the schema cannot be compiled: {panic}"))
}

/// True for the normal form of a schema that demands nothing.
fn is_free(normal: &Value) -> bool {
    match normal {
        Value::Bool(free) => *free,
        Value::Object(keywords) => keywords.keys().all(|keyword| keyword == "$schema"),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}

/// A JSON pointer as a dotted path.
fn dotted(pointer: &str) -> String {
    pointer.replace('/', ".")
}
