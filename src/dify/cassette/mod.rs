//! Recorded exchanges with a live Dify: what a line of a cassette holds, which line answers a request, and what differs.
//!
//! It knows no network, no file and no clock: the engine hears and asks, the session reads and writes.

mod answered;
mod document;
mod find;
mod line;
mod mask;
mod recorded;
mod same;
mod shelf;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::document::{CassetteError, first_line, parse, parse_part, render, render_line};
pub use self::find::{CassetteQuery, Miss, Pin};
pub use self::mask::Mask;
pub use self::recorded::{
    AnswerPrint, FilePrint, RecordedAnswer, RecordedExchange, RecordedRequest, RecordedResponse, hear,
};
pub use self::same::{NewRecordings, merge, newer};
pub use self::shelf::CassetteShelf;

/// The version of the files that this flowproof writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// What is sent and what is recorded; the meanings are those of vcrpy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is sent; a request that is not recorded fails.
    None,
    /// Recorded where there is no cassette yet; else as `none`.
    Once,
    /// What is recorded is replayed, the rest is sent and recorded.
    NewEpisodes,
    /// Everything is sent and recorded anew.
    All,
}

/// How fast recorded answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speed {
    /// At once; the times judged are those recorded.
    #[default]
    AtOnce,
    /// Each event at its recorded time; the times judged are measured.
    RealTime,
}
