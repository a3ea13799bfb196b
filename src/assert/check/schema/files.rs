//! The files of schemas: read only while suites load, only where they may lie, and each with what it holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jsonschema::{Retrieve, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::byte_order_mark::without_mark;
use crate::base::digest::{Digest, Digester};
use crate::base::files::{self, Fence, FileRefusal, plain};
use crate::base::lock::lock;

/// The largest schema file.
const LARGEST: u64 = 10 << 20;

/// Where the files that schemas name may lie.
#[derive(Debug, Clone)]
pub struct FileRoot {
    /// The folder of the suite: relative paths start here.
    pub folder: PathBuf,
    /// May not be left: the suites folder; none with `--allow-outside`.
    pub fence: Fence,
}

/// Which documents references may reach.
#[derive(Clone)]
pub(super) enum ReferenceReach {
    /// None: the schema came from a template.
    Nothing,
    /// Files, within a fence.
    Files { fence: Fence, read: Files },
}

/// The files that were read for one schema, with what each holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(Arc<Mutex<BTreeMap<PathBuf, Digest>>>);

impl Files {
    pub fn read(&self, file: &Path, fence: &Fence) -> Result<Value, String> {
        let SchemaDocument { schema, content } = read(file, fence)?;
        lock(&self.0).insert(absolute(file), content);
        Ok(schema)
    }

    /// What all of them hold; where they lie is not part of it, for a project may be moved.
    pub fn digest(&self) -> Option<Digest> {
        let read = lock(&self.0);
        let mut digester = Digester::default();
        for content in read.values() {
            digester.number(content.number());
        }
        (!read.is_empty()).then(|| digester.finish())
    }
}

impl Retrieve for ReferenceReach {
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

/// A schema file, and the hash of its bytes.
struct SchemaDocument {
    schema: Value,
    content: Digest,
}

fn read(file: &Path, fence: &Fence) -> Result<SchemaDocument, String> {
    let name = file.display();
    let bytes = files::read(file, fence, LARGEST).map_err(|error| match FileRefusal::of(&error) {
        Some(FileRefusal::Outside(folder)) => format!("`{name}` lies outside `{}`", folder.display()),
        Some(FileRefusal::Folder | FileRefusal::Irregular | FileRefusal::TooLarge(_)) => {
            format!("`{name}` is not a file of at most 10 MiB: {error}")
        }
        Some(FileRefusal::Dangling | FileRefusal::Link | FileRefusal::Unread) | None => {
            format!("cannot read `{name}`: {}", plain(&error))
        }
    })?;
    let content =
        Digest::of_all(bytes.as_slice()).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    let schema = BorrowedValue::read_value(without_mark(&bytes))
        .map_err(|error| format!("`{name}` is not JSON: {error}"))?;
    Ok(SchemaDocument { schema, content })
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

pub(super) fn file_uri(path: &Path) -> String {
    /// What RFC 3986 leaves unreserved, and the separator of folders.
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    format!("file://{}", utf8_percent_encode(&path.to_string_lossy(), ESCAPED))
}

fn unescape(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}
