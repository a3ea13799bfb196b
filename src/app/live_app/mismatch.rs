//! What a test sends in an input, and how it may not fit what the app declares.

use serde_json::Value;

use crate::app::live_app::input_rules::takes;
use crate::dify::wire::parameters::{Input, InputKind};

/// One input that a test sends.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedInput {
    /// The name of the input.
    pub name: String,
    /// What is sent in it.
    pub sent: SentInput,
}

/// What a test sends in one input.
#[derive(Debug, Clone, PartialEq)]
pub enum SentInput {
    /// A value of `inputs`, rendered.
    Value(Value),
    /// One file of `files`.
    File(SentFile),
    /// A list of `files`.
    Files(Vec<SentFile>),
}

/// A file as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Its path or address.
    pub name: String,
    /// Dify's type: `document`, `image`, …
    pub kind: String,
    /// `local_file` or `remote_url`.
    pub method: &'static str,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputMismatch {
    /// The input.
    pub input: String,
    /// What is wrong with it.
    pub kind: FaultKind,
    /// The same in words.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The app has no such input.
    Unknown,
    /// It is required and not sent.
    Missing,
    /// A text is too long.
    TooLong,
    /// A text is none of the options.
    NotAnOption,
    /// It takes something else, and Dify refuses this.
    WrongType,
    /// It takes something else, and Dify passes this on as it is.
    Strange,
    /// A file is of a type, or comes a way, that is not allowed.
    WrongFile,
    /// There are too many files.
    TooMany,
}

impl FaultKind {
    /// Whether Dify itself refuses such a run: a test that expects `rejected` may want just that.
    pub fn is_refused(self) -> bool {
        match self {
            Self::Unknown | Self::Strange => false,
            Self::Missing
            | Self::TooLong
            | Self::NotAnOption
            | Self::WrongType
            | Self::WrongFile
            | Self::TooMany => true,
        }
    }
}

/// An input whose kind this flowproof does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UncomparedInput<'a> {
    /// Its name.
    pub input: &'a str,
    /// Its kind, as Dify calls it.
    pub kind: &'a str,
}

/// True of an input that takes files.
pub(super) fn is_file(input: &Input) -> bool {
    matches!(input.kind, InputKind::File(_) | InputKind::Files(_))
}

/// Something that does not fit an input.
pub(super) fn fault(input: &Input, kind: FaultKind, message: String, help: Option<String>) -> InputMismatch {
    InputMismatch { input: input.name.clone(), kind, message, help }
}

/// A value of another type than an input takes.
pub(super) fn wrong(input: &Input, found: &str) -> InputMismatch {
    let message = format!("the input `{}` takes {}, found {found}", input.name, takes(input));
    let help = is_file(input).then(|| "write the file's path under `files`".to_owned());
    fault(input, FaultKind::WrongType, message, help)
}
