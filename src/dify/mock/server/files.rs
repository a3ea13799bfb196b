//! File mappings in inputs: checked, and turned into Dify's file objects.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::state::MockState;
use super::stored_uploads::Upload;
use crate::dify::mock::version::DifyVersion;

/// Who may use which uploads.
#[derive(Clone, Copy)]
pub struct UploadScope<'a> {
    /// What the mock remembers.
    pub state: &'a MockState,
    /// The app of the run.
    pub app: &'a str,
    /// Its end user.
    pub user: &'a str,
}

/// The known facts of a file.
struct FileFacts {
    name: String,
    extension: String,
    mime_type: String,
    size: i64,
    upload_id: Option<String>,
    url: String,
}

impl UploadScope<'_> {
    /// The file object of a mapping, or Dify's complaint.
    pub fn resolve(&self, mapping: &Map<String, Value>) -> Result<Value, String> {
        let text = |key: &str| mapping.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let method = text("transfer_method").ok_or("transfer_method is required in file mapping")?;
        let facts = match method {
            "local_file" => self.local(text("upload_file_id"))?,
            "remote_url" => remote(text("url").or_else(|| text("remote_url")))?,
            "tool_file" => {
                return Err(format!("ToolFile {} not found", text("tool_file_id").unwrap_or("None")));
            }
            other => return Err(format!("No matching enum found for value '{other}'")),
        };
        let detected = detect(&facts.extension, &facts.mime_type);
        let kind = text("type").unwrap_or_default();
        if kind != "custom" && kind != detected {
            return Err(
                "Detected file type does not match the specified type. Please verify the file.".to_owned()
            );
        }
        Ok(self.object(kind, method, &facts))
    }

    fn local(&self, id: Option<&str>) -> Result<FileFacts, String> {
        let id = id.ok_or("Invalid upload file id")?;
        uuid::Uuid::parse_str(id).map_err(|_| "Invalid upload file id format")?;
        let upload =
            self.state.upload(id).filter(|upload| self.may_use(upload)).ok_or("Invalid upload file")?;
        Ok(FileFacts {
            name: upload.name.clone(),
            extension: upload.extension.clone(),
            mime_type: upload.mime_type.clone(),
            size: i64::try_from(upload.size).unwrap_or(i64::MAX),
            url: self.state.preview_url(&upload.id),
            upload_id: Some(upload.id.clone()),
        })
    }

    fn may_use(&self, upload: &Upload) -> bool {
        match self.state.options.version {
            DifyVersion::V1_12 => true,
            DifyVersion::V1_14 => *upload.app == *self.app && upload.user == self.user,
        }
    }

    fn object(&self, kind: &str, method: &str, facts: &FileFacts) -> Value {
        let extension = format!(".{}", facts.extension);
        match self.state.options.version {
            DifyVersion::V1_12 => json!({
                "dify_model_identity": "__dify__file__", "id": null, "tenant_id": self.state.tenant(), "type": kind,
                "transfer_method": method, "remote_url": facts.url, "related_id": facts.upload_id, "filename": facts.name,
                "extension": extension, "mime_type": facts.mime_type, "size": facts.size, "url": facts.url,
            }),
            DifyVersion::V1_14 => {
                let remote = if facts.upload_id.is_some() { "" } else { &facts.url };
                let reference =
                    facts.upload_id.as_deref().map(|id| format!("dify-file-ref:{}", id.replace('-', "")));
                json!({
                    "dify_model_identity": "__dify__file__", "id": null, "type": kind, "transfer_method": method,
                    "remote_url": remote, "reference": reference, "filename": facts.name, "extension": extension,
                    "mime_type": facts.mime_type, "size": facts.size, "related_id": facts.upload_id, "url": facts.url,
                })
            }
        }
    }
}

/// The facts of a remote file follow from its address: it is not fetched.
fn remote(url: Option<&str>) -> Result<FileFacts, String> {
    let url = url.ok_or("Invalid file url")?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(format!("Reached maximum retries (3) for URL {url}"));
    }
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    let mime_type = mime_of(&extension).to_owned();
    Ok(FileFacts { name, extension, mime_type, size: -1, upload_id: None, url: url.to_owned() })
}

/// Endings with their media types, by Dify's kinds.
const KNOWN: [(&str, &[(&str, &str)]); 4] = [
    (
        "image",
        &[
            ("jpg", "image/jpeg"),
            ("jpeg", "image/jpeg"),
            ("png", "image/png"),
            ("webp", "image/webp"),
            ("gif", "image/gif"),
            ("svg", "image/svg+xml"),
        ],
    ),
    (
        "video",
        &[("mp4", "video/mp4"), ("mov", "video/quicktime"), ("mpeg", "video/mpeg"), ("webm", "video/webm")],
    ),
    (
        "audio",
        &[
            ("mp3", "audio/mpeg"),
            ("m4a", "audio/mp4"),
            ("wav", "audio/x-wav"),
            ("amr", "audio/amr"),
            ("mpga", "audio/mpeg"),
        ],
    ),
    (
        "document",
        &[
            ("txt", "text/plain"),
            ("md", "text/markdown"),
            ("markdown", "text/markdown"),
            ("mdx", "text/markdown"),
            ("pdf", "application/pdf"),
            ("html", "text/html"),
            ("htm", "text/html"),
            ("csv", "text/csv"),
            ("json", "application/json"),
            ("yaml", "application/yaml"),
            ("yml", "application/yaml"),
            ("xml", "text/xml"),
            ("eml", "message/rfc822"),
            ("msg", "application/vnd.ms-outlook"),
            ("epub", "application/epub+zip"),
            ("vtt", "text/vtt"),
            ("properties", "text/plain"),
            ("doc", "application/msword"),
            ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("xls", "application/vnd.ms-excel"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("ppt", "application/vnd.ms-powerpoint"),
            ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ],
    ),
];

/// The media type of an ending.
pub fn mime_of(extension: &str) -> &'static str {
    let known = KNOWN.iter().flat_map(|(_, endings)| endings.iter());
    known
        .into_iter()
        .find(|(ending, _)| *ending == extension)
        .map_or("application/octet-stream", |(_, mime)| mime)
}

/// Dify's kind of a file: by its ending, otherwise by its media type.
pub fn detect(extension: &str, mime_type: &str) -> &'static str {
    let by_ending = KNOWN
        .iter()
        .find(|(_, endings)| endings.iter().any(|(ending, _)| *ending == extension.to_lowercase()));
    if let Some((kind, _)) = by_ending {
        return kind;
    }
    match mime_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "custom",
    }
}

/// The inputs of an app that declares none, with their files resolved; `None` where they name no file. Every mapping with a
/// `transfer_method` is a file.
pub fn resolve_all(
    scope: UploadScope<'_>,
    inputs: &Map<String, Value>,
) -> Result<Option<Map<String, Value>>, String> {
    if !has_files(inputs) {
        return Ok(None);
    }
    let resolve = |value: &Value| match value {
        Value::Object(mapping) if is_file(value) => scope.resolve(mapping),
        Value::Array(items) if is_file_list(value) => {
            let files = items.iter().filter_map(Value::as_object).map(|mapping| scope.resolve(mapping));
            files.collect::<Result<_, _>>().map(Value::Array)
        }
        other => Ok(other.clone()),
    };
    let resolved = inputs.iter().map(|(key, value)| Ok((key.clone(), resolve(value)?)));
    resolved.collect::<Result<_, _>>().map(Some)
}

/// The inputs without files, by which answers are matched.
pub fn without_files(inputs: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if !has_files(inputs) {
        return Cow::Borrowed(inputs);
    }
    let plain = inputs.iter().filter(|(_, value)| !is_file(value) && !is_file_list(value));
    Cow::Owned(plain.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn has_files(inputs: &Map<String, Value>) -> bool {
    inputs.values().any(|value| is_file(value) || is_file_list(value))
}

fn is_file(value: &Value) -> bool {
    value.get("transfer_method").is_some_and(Value::is_string)
}

fn is_file_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_file))
}
