//! Recorded exchanges with a live Dify: what a line of a cassette holds, which line answers a request, and what differs.
//!
//! It knows no network, no file and no clock: the engine records and looks up, `app` reads and writes the files.

mod answer_line;
mod document;
mod event_line;
mod exchange;
mod exchange_line;
mod file_line;
mod find;
mod mask;
mod merge;
mod mode;
mod record_response;
mod request_match;
mod shelf;
#[cfg(test)]
mod tests;

pub use self::document::{CassetteError, first_line, parse, parse_part, render, render_line};
pub use self::exchange::{
    AnswerPrint, FilePrint, RecordedAnswer, RecordedExchange, RecordedRequest, RecordedResponse,
};
pub use self::find::{CassetteQuery, Miss};
pub use self::mask::Mask;
pub use self::merge::{NewRecordings, merge, newer};
pub use self::mode::{Mode, Speed};
pub use self::record_response::record_response;
pub use self::request_match::Pin;
pub use self::shelf::CassetteShelf;
