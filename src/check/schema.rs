//! JSON Schema: the one place that knows the validator's crate.
//!
//! 2020-12 unless `$schema` says otherwise; a `format` it knows is checked, in every draft. References reach files under the
//! suite's folder, never the network, and only while suites load.

mod lint;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::base::byte_order_mark::without_mark;
use crate::base::digest::{Digest, Digester};
use crate::base::json_kind::kind;
use crate::files::{self, Fence, Refusal, plain};

use super::operand::OperandError;

/// The largest schema file.
const LARGEST: u64 = 10 << 20;
/// How many violations a message names.
const NAMED: usize = 3;
/// Where the files that schemas name may lie.
#[derive(Debug, Clone)]
pub struct FileRoot {
    /// The folder of the suite: relative paths start here.
    pub folder: PathBuf,
    /// May not be left: the suites folder; none with `--allow-outside`.
    pub fence: Fence,
}

/// A compiled schema.
pub(super) struct Schema {
    validator: Validator,
    /// What the files hold that it was read from; none where it stands in the suite alone.
    files: Option<Digest>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

impl Schema {
    /// Compiles an inline schema; without `files` no reference to a file resolves.
    pub(super) fn compile(schema: &Value, files: Option<&FileRoot>) -> Result<Self, OperandError> {
        match schema {
            Value::Object(_) => {
                lint::find_misspelt(schema)?;
                Self::check_demands(schema)?;
            }
            Value::Bool(true) => return Err(OperandError::new("the schema `true` holds for every value")),
            Value::Bool(false) => return Err(OperandError::new("the schema `false` can never hold")),
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
        Self::build(schema, base.as_deref(), (files, Files::default()))
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
        if let Value::Object(_) | Value::Bool(_) = schema {
            Self::check_demands(&schema)?
        }
        Self::build(&schema, Some(&file), (Some(files), read_files))
    }

    fn check_demands(schema: &Value) -> Result<(), OperandError> {
        match schema {
            Value::Object(keywords) if lint::can_refuse(keywords) => Ok(()),
            Value::Bool(false) => Err(OperandError::new("the schema `false` can never hold")),
            _ => Err(OperandError::new("the schema demands nothing: it would hold for every value")),
        }
    }

    fn build(
        schema: &Value,
        base: Option<&Path>,
        (files, read): (Option<&FileRoot>, Files),
    ) -> Result<Self, OperandError> {
        let reach = match files {
            Some(files) => {
                let is_held = files.fence.folder().is_some();
                let fence = if is_held { Fence::around(&files.folder) } else { Fence::anywhere() };
                Reach::Files { fence, read: read.clone() }
            }
            None => Reach::Nothing,
        };
        let mut options = jsonschema::options().with_retriever(reach).should_validate_formats(true);
        if let Some(base) = base {
            options = options.with_base_uri(file_uri(base));
        }
        match options.build(schema) {
            Ok(validator) => Ok(Self { validator, files: read.digest() }),
            Err(error) => Err(OperandError::new(format!("not a JSON Schema: {}", cut(&error.to_string())))),
        }
    }

    /// What the files hold that it was read from and refers to; none where there are none.
    pub(super) fn files(&self) -> Option<Digest> {
        self.files
    }

    /// What of a value violates the schema, in one line; none when it conforms.
    pub(super) fn violations(&self, value: &Value) -> Option<String> {
        if self.validator.is_valid(value) {
            return None;
        }
        let mut named = Vec::new();
        let mut more = 0;
        for error in self.validator.iter_errors(value).take(100) {
            if named.len() < NAMED {
                named.push(format!(
                    "`${}`: {}",
                    dotted(error.instance_path().as_str()),
                    cut(&error.masked().to_string())
                ));
            } else {
                more += 1;
            }
        }
        if more > 0 {
            named.push(format!("and {more} more"));
        }
        Some(named.join("; "))
    }
}

/// Which documents references may reach.
enum Reach {
    /// None: the schema came from a template.
    Nothing,
    /// Files, within a fence.
    Files { fence: Fence, read: Files },
}

/// The files that were read for one schema, with what each holds.
#[derive(Debug, Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<PathBuf, Digest>>>);

impl Files {
    fn read(&self, file: &Path, fence: &Fence) -> Result<Value, String> {
        let (schema, content) = read(file, fence)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(absolute(file), content);
        Ok(schema)
    }

    /// What all of them hold; where they lie is not part of it, for a project may be moved.
    fn digest(&self) -> Option<Digest> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut digester = Digester::default();
        for content in read.values() {
            digester.number(content.number());
        }
        (!read.is_empty()).then(|| digester.finish())
    }
}

impl Retrieve for Reach {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let Self::Files { fence, read } = self else {
            return Err("a schema that comes from a template cannot refer to files".into());
        };
        let Some(path) = uri.as_str().strip_prefix("file://") else {
            return Err(format!(
                "`{}` is not a file: references reach only files under the suite's folder",
                uri.as_str()
            )
            .into());
        };
        let path =
            unescape(path.split('#').next().unwrap_or_default()).ok_or("the reference is not UTF-8")?;
        Ok(read.read(Path::new(&path), fence)?)
    }
}

fn read(file: &Path, fence: &Fence) -> Result<(Value, Digest), String> {
    let name = file.display();
    let bytes = files::read(file, fence, LARGEST).map_err(|error| match Refusal::of(&error) {
        Some(Refusal::Outside(folder)) => format!("`{name}` lies outside `{}`", folder.display()),
        Some(Refusal::Folder | Refusal::Irregular | Refusal::TooLarge(_)) => {
            format!("`{name}` is not a file of at most 10 MiB: {error}")
        }
        Some(Refusal::Dangling | Refusal::Link | Refusal::Unread) | None => {
            format!("cannot read `{name}`: {}", plain(&error))
        }
    })?;
    let content =
        Digest::of_all(bytes.as_slice()).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    let schema = serde_json::from_slice(without_mark(&bytes))
        .map_err(|error| format!("`{name}` is not JSON: {error}"))?;
    Ok((schema, content))
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn file_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte))
            }
            escaped => uri.push_str(&format!("%{escaped:02X}")),
        }
    }
    uri
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (first, _) => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A JSON pointer as a dotted path.
fn dotted(pointer: &str) -> String {
    pointer.replace('/', ".")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
