//! `POST /files/upload`: one file, of which the mock remembers the facts, not the content.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::MockCall;
use super::files::{detect, mime_of};
use super::refusal::MockRefusal;
use super::state::MockState;
use super::stored_uploads::Upload;
use crate::base::clock;
use crate::dify::mock::answer::id_of;
use crate::dify::mock::version::DifyVersion;

/// A file as sent.
struct UploadPart {
    field: String,
    name: String,
    mime_type: Option<String>,
    size: u64,
}

/// A form with files.
#[derive(Default)]
struct UploadForm {
    files: Vec<UploadPart>,
    user: Option<String>,
}

/// Answers an upload.
pub async fn answer_upload(state: &MockState, call: &MockCall) -> Result<Value, MockRefusal> {
    let UploadForm { files, user } = read_form(call).await?;
    let Some(file) = files.iter().find(|file| file.field == "file") else {
        return Err(MockRefusal::new(400, "no_file_uploaded", "Please upload your file."));
    };
    if files.len() > 1 {
        return Err(MockRefusal::new(400, "too_many_files", "Only one file is allowed."));
    }
    if file.name.is_empty() {
        return Err(MockRefusal::new(
            400,
            "filename_not_exists_error",
            "The specified filename does not exist.",
        ));
    }
    if file.name.contains(['/', '\\']) {
        return Err(MockRefusal::invalid("Filename contains invalid characters"));
    }
    let user = user.filter(|user| !user.is_empty()).unwrap_or_else(|| "DEFAULT-USER".to_owned());
    let upload = keep(state, call, file, user)?;
    let time = clock::wall().as_second();
    Ok(json!({
        "id": upload.id, "name": upload.name, "size": upload.size, "extension": upload.extension, "mime_type": upload.mime_type,
        "created_by": id_of("user", &format!("{}\n{}", call.app, upload.user)), "created_at": time, "preview_url": null,
        "source_url": state.preview_url(&upload.id), "original_url": null, "user_id": null, "tenant_id": state.tenant(),
        "conversation_id": null, "file_key": null,
    }))
}

fn keep(state: &MockState, call: &MockCall, file: &UploadPart, user: String) -> Result<Upload, MockRefusal> {
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    let mime_type = file.mime_type.clone().unwrap_or_else(|| mime_of(&extension).to_owned());
    // Megabytes are binary; every file that is not an image, audio or video counts as a document.
    let most = match detect(&extension, &mime_type) {
        "image" => 10 << 20,
        "audio" => 50 << 20,
        "video" => 100 << 20,
        _ => 15 << 20,
    };
    if file.size > most {
        let message = match state.options.version {
            DifyVersion::V1_12 => "File size exceeded. {message}",
            DifyVersion::V1_14 => "",
        };
        return Err(MockRefusal::new(413, "file_too_large", message));
    }
    let name = file.name.clone();
    let upload = Upload {
        id: state.new_id(),
        app: call.app.clone(),
        user,
        name,
        extension,
        mime_type,
        size: file.size,
    };
    state.keep_upload(upload.clone());
    Ok(upload)
}

/// Reads a form; a body that is no form has neither files nor a user.
async fn read_form(call: &MockCall) -> Result<UploadForm, MockRefusal> {
    let boundary = call.content_type.as_deref().and_then(|text| multer::parse_boundary(text).ok());
    let Some(boundary) = boundary else { return Ok(UploadForm::default()) };
    let body = futures_util::stream::iter([Ok::<Bytes, std::convert::Infallible>(call.body.clone())]);
    let mut form = multer::Multipart::new(body, boundary);
    let mut parts = UploadForm::default();
    while let Some(mut field) = form.next_field().await.map_err(|_| MockRefusal::not_understood())? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let mime_type = field.content_type().map(ToString::to_string);
        let mut text = Vec::new();
        let mut size = 0;
        while let Some(chunk) = field.chunk().await.map_err(|_| MockRefusal::not_understood())? {
            size += chunk.len() as u64;
            if file_name.is_none() && text.len() < 4096 {
                text.extend_from_slice(&chunk);
            }
        }
        match file_name {
            Some(file_name) => parts.files.push(UploadPart { field: name, name: file_name, mime_type, size }),
            None if name == "user" => parts.user = Some(String::from_utf8_lossy(&text).into_owned()),
            None => {}
        }
    }
    Ok(parts)
}
