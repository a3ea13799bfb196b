//! Files of a request: uploaded once for each user, then named in the inputs.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

use crate::base::files::{self, Fence};
use crate::base::lock::lock;
use crate::dify::client::failure;
use crate::dify::client::failure::{ReadFailure, SendFailure};
use crate::dify::client::http_answer::HttpAnswer;
use crate::dify::client::message;
use crate::dify::client::side_calls::{ResponseHead, SideAnswers};
use crate::dify::transcript::{Ending, FileInput, FileVariable, SideCall};
use crate::dify::wire::answer;
use crate::dify::wire::error;
use crate::dify::wire::request;
use crate::dify::wire::{self};

/// Uploads remembered at once; a user unique to each attempt is never met again, so old ones are forgotten.
const REMEMBERED: usize = 1024;

/// Bytes of a file that are read at once.
const PIECE: usize = 64 * 1024;

/// Most bytes of an upload's answer, which is a short object.
const LONGEST_ANSWER: usize = 1_000_000;

/// What makes two uploads the same: Dify scopes them by key and user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct UploadKey {
    api_key: blake3::Hash,
    user: String,
    path: PathBuf,
    modified: Option<SystemTime>,
    size: u64,
}

/// Uploads done or under way.
#[derive(Debug, Default)]
pub struct UploadCache {
    known: Mutex<HashMap<UploadKey, Arc<UploadSlot>>>,
}

/// One upload: whoever has the turn makes it, the others wait and find its id.
#[derive(Debug)]
struct UploadSlot {
    turn: Semaphore,
    id: Mutex<Option<String>>,
}

impl Default for UploadSlot {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), id: Mutex::default() }
    }
}

/// Who uploads, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Uploader<'a> {
    /// The connection pool.
    pub http: &'a reqwest::Client,
    /// Address of `files/upload`.
    pub url: &'a Url,
    /// `Bearer …`.
    pub authorization: &'a HeaderValue,
    /// Dify's end user.
    pub user: &'a str,
    /// Uploads done or under way.
    pub uploads: &'a UploadCache,
    /// Keeps the answers.
    pub asides: &'a SideAnswers,
}

impl Uploader<'_> {
    /// Gives a variable's value: uploads what must be uploaded.
    pub async fn variable(&self, variable: &FileVariable) -> Result<Value, Ending> {
        match variable {
            FileVariable::One(input) => self.input(input).await,
            FileVariable::Many(inputs) => {
                let mut values = Vec::with_capacity(inputs.len());
                for input in inputs {
                    values.push(self.input(input).await?);
                }
                Ok(Value::Array(values))
            }
        }
    }

    async fn input(&self, input: &FileInput) -> Result<Value, Ending> {
        match input {
            FileInput::Remote { url, kind } => Ok(request::remote_file(kind, url)),
            FileInput::Upload { path, fence, kind } => {
                let id = self.upload_once(path, fence).await?;
                Ok(request::uploaded_file(kind, &id))
            }
        }
    }

    async fn upload_once(&self, path: &Path, fence: &Fence) -> Result<String, Ending> {
        let (file, metadata) = open(path, fence).await.map_err(|error| unreadable_file(path, &error))?;
        let key = UploadKey {
            api_key: blake3::hash(self.authorization.as_bytes()),
            user: self.user.to_owned(),
            path: path.to_owned(),
            modified: metadata.modified().ok(),
            size: metadata.len(),
        };
        let slot = self.uploads.slot(key);
        let _turn = slot.turn.acquire().await.expect("no slot's semaphore is ever closed");
        let known = lock(&slot.id).clone();
        if let Some(id) = known {
            return Ok(id);
        }
        let id = self.upload(path, file, metadata.len()).await?;
        *lock(&slot.id) = Some(id.clone());
        Ok(id)
    }

    /// Sends the file in pieces: as many bytes of it as it had when it was opened.
    async fn upload(&self, path: &Path, file: File, length: u64) -> Result<String, Ending> {
        let body = tokio::fs::File::from_std(file).take(length);
        let body = reqwest::Body::wrap_stream(pieces(body));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = Part::stream_with_length(body, length)
            .mime_str(wire::file::media_type(&name))
            .expect("the table holds valid media types");
        let form = Form::new().part("file", part.file_name(name)).text("user", self.user.to_owned());
        let sent = self
            .http
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization)
            .multipart(form)
            .send()
            .await;
        let mut response = HttpAnswer::of(sent.map_err(|error| self.not_uploaded(path, &error))?);
        let status = response.status().as_u16();
        let content_type = message::content_type(response.headers());
        if let Some(why) = response.unreadable() {
            return Err(Ending::Unreadable { detail: format!("upload {}: {why}", path.display()) });
        }
        let head = ResponseHead::of(SideCall::Upload, &response);
        let wait = message::retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(piece) = response.piece().await.map_err(|failure| self.unread(path, failure))? {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST_ANSWER {
                let detail = format!("upload {}: the answer is larger than 1 MB", path.display());
                return Err(Ending::Unreadable { detail });
            }
        }
        self.asides.hear(head, &body);
        if !(200..300).contains(&status) {
            self.asides.refuse(wait);
        }
        read_answer(path, status, &content_type, &body)
    }

    /// The upload's answer did not come, or cannot be read.
    fn unread(&self, path: &Path, failure: ReadFailure) -> Ending {
        match failure {
            ReadFailure::Broken(error) => self.not_uploaded(path, &error),
            ReadFailure::Unreadable(why) => {
                Ending::Unreadable { detail: format!("upload {}: {why}", path.display()) }
            }
        }
    }

    /// The run itself was not sent, however its upload failed.
    fn not_uploaded(&self, path: &Path, error: &reqwest::Error) -> Ending {
        let (detail, retryable) = match failure::describe_send(error, self.url) {
            SendFailure::NotSent { detail, retryable } => (detail, retryable),
            SendFailure::Cut(detail) => (detail, true),
            SendFailure::Unreadable(detail) => (detail, false),
        };
        Ending::NotSent { detail: format!("upload {}: {detail}", path.display()), retryable }
    }
}

impl UploadCache {
    fn slot(&self, key: UploadKey) -> Arc<UploadSlot> {
        let mut known = lock(&self.known);
        if known.len() >= REMEMBERED && !known.contains_key(&key) {
            known.clear();
        }
        known.entry(key).or_default().clone()
    }
}

/// Reads the answer to an upload.
fn read_answer(path: &Path, status: u16, content_type: &str, body: &[u8]) -> Result<String, Ending> {
    if !(200..300).contains(&status) {
        let mut error = error::classify_http(status, content_type, body);
        let code = error.code.as_deref().filter(|_| error.message.is_empty());
        error.message = format!("upload {}: {}", path.display(), code.unwrap_or(&error.message));
        return Err(Ending::Rejected(error));
    }
    let unreadable =
        |reason: String| Ending::Unreadable { detail: format!("upload {}: {reason}", path.display()) };
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| unreadable(format!("the answer is not JSON: {error}")))?;
    answer::decode_upload(&json).map_err(|error| unreadable(error.to_string()))
}

/// Opens a file that can be uploaded.
async fn open(path: &Path, fence: &Fence) -> io::Result<(File, Metadata)> {
    let (path, fence) = (path.to_owned(), fence.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let file = files::open(&path, &fence)?;
        let metadata = file.metadata()?;
        Ok((file, metadata))
    });
    opened.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The bytes of a file, piece by piece.
fn pieces(
    file: tokio::io::Take<tokio::fs::File>,
) -> impl futures_util::Stream<Item = io::Result<bytes::Bytes>> {
    futures_util::stream::try_unfold(file, |mut file| async move {
        let mut piece = bytes::BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    })
}

fn unreadable_file(path: &Path, error: &std::io::Error) -> Ending {
    Ending::NotSent { detail: format!("read {}: {error}", path.display()), retryable: false }
}
