//! Differences as data: of texts by line and word, of JSON by place, and JSON equality and inclusion.
//!
//! Nothing here knows how a difference is shown.

mod equality;
mod json;
mod text;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::equality::{CaseRule, EqualOptions, equal, includes, mask_paths};
pub use self::json::diff_json;
pub use self::text::diff_text;

/// How something expected differs from what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diff {
    /// Of two texts.
    Text(TextDiff),
    /// Of two JSON values, by place.
    Json(Vec<JsonChange>),
}

/// How two texts differ; no lines where they do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextDiff {
    /// The changed lines, three equal ones around each, and a line that counts those left out.
    pub lines: Vec<DiffLine>,
    /// Whether a text was longer than 1 MiB and its end was not looked at.
    pub cut: bool,
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiffLine {
    /// Where the line is.
    pub side: LineSide,
    /// The line without its end; one piece, changed, where the other side has no like line.
    pub pieces: Vec<LinePart>,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSide {
    /// In both texts.
    Same,
    /// Only in the expected text.
    Expected,
    /// Only in the actual text.
    Actual,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePart {
    /// Whether the other side differs here.
    pub changed: bool,
    /// The text itself.
    pub text: String,
}

/// One place at which two JSON values differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JsonChange {
    /// The normalized path: in the expected value where something was removed, else in the actual one.
    pub path: String,
    /// What happened there.
    pub kind: ChangeKind,
    /// What was expected; `None` where it was added.
    pub expected: Option<Value>,
    /// What came; `None` where it was removed.
    pub actual: Option<Value>,
    /// The difference in detail, where both are texts.
    pub text: Option<TextDiff>,
    /// Where a moved element was in the expected value.
    pub from: Option<String>,
}

/// What happened at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the actual value has it.
    Added,
    /// Only the expected value has it.
    Removed,
    /// Both have it, with different values.
    Changed,
    /// An array has it in both, elsewhere.
    Moved,
}
