//! `files`: paths and addresses by variable; literal paths are checked when suites load, templates when they are rendered.

use crate::base::template::Template;
use crate::plan::case::{FileSource, FileTemplate};
use crate::plan::test_templates::TestTemplates;
use crate::suite::grounds::SuiteFolder;
use crate::yaml::node::{MapEntry, Node, NodeValue};
use crate::yaml::reader::Reader;

/// Dify's types of files.
pub const FILE_TYPES: [(&str, &str); 5] = [
    ("document", "document"),
    ("image", "image"),
    ("audio", "audio"),
    ("video", "video"),
    ("custom", "custom"),
];

/// The keys of a file.
pub const FILE_KEYS: [&str; 3] = ["path", "url", "type"];

/// Compiles the files of a test.
pub fn compile_files(
    reader: &mut Reader<'_>,
    entries: &[&MapEntry],
    grounds: &SuiteFolder,
    templates: &mut TestTemplates<'_>,
) -> Vec<(String, FileTemplate)> {
    let mut files = Vec::with_capacity(entries.len());
    for entry in entries {
        let compiled = match &entry.value.value {
            NodeValue::List(items) => {
                if items.is_empty() {
                    reader.problem(entry.value.mark, format!("`files.{}` names no file", entry.key));
                }
                let sources =
                    items.iter().filter_map(|item| compile_source(reader, item, grounds, templates));
                Some(FileTemplate::Many(sources.collect()))
            }
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::Map(_) => {
                compile_source(reader, &entry.value, grounds, templates).map(FileTemplate::One)
            }
        };
        files.extend(compiled.map(|file| (entry.key.clone(), file)));
    }
    files
}

fn compile_source(
    reader: &mut Reader<'_>,
    node: &Node,
    grounds: &SuiteFolder,
    templates: &mut TestTemplates<'_>,
) -> Option<FileSource> {
    if node.as_text().is_some() {
        let path = templates.compile(reader, node);
        return file_at(reader, node, grounds, UploadPath { path, kind: None });
    }
    let entries = reader.map(node, "a file", &FILE_KEYS);
    node.as_map()?;
    let mut kind = None;
    for entry in entries {
        match entry.key.as_str() {
            "type" => {
                kind = reader
                    .choice(&entry.value, "a file's `type`", &FILE_TYPES)
                    .map(|kind| kind.value.to_owned())
            }
            _ => drop(reader.filled_text(&entry.value, &format!("a file's `{}`", entry.key))),
        }
    }
    match (node.get("path"), node.get("url")) {
        (Some(node), None) => {
            let path = templates.compile(reader, node);
            file_at(reader, node, grounds, UploadPath { path, kind })
        }
        (None, Some(url)) => Some(FileSource::Url { url: templates.compile(reader, url), kind }),
        (Some(_), Some(_)) | (None, None) => {
            reader.problem_with_help(
                node.mark,
                "a file needs a `path` or a `url`",
                "write `_data/a.pdf` or `{ url: \"https://…\", type: image }`",
            );
            None
        }
    }
}

/// A file that is uploaded: its path, and Dify's type of it where that is written.
struct UploadPath {
    path: Template,
    kind: Option<String>,
}

/// The file at a path; a literal one must be where it may be read.
fn file_at(
    reader: &mut Reader<'_>,
    node: &Node,
    grounds: &SuiteFolder,
    upload: UploadPath,
) -> Option<FileSource> {
    let UploadPath { path, kind } = upload;
    if let Template::Literal(serde_json::Value::String(text)) = &path
        && let Err(message) = grounds.check_upload(text)
    {
        reader.problem(node.mark, message);
        return None;
    }
    Some(FileSource::Path { path, base: grounds.folder.clone(), fence: grounds.fence.clone(), kind })
}
