//! What can go wrong between a Dify and its client: the faults that a reply or `flowproof mock --fault` asks for.
//!
//! Pure: it decides what replaces an answer and what becomes of its events and bytes; `server` puts that on the wire.
//! A fault acts before the head (`response_instead`), on a run's facts (`false_facts`), on the events of a stream (`stream`), on a
//! blocking answer (`document`), or on the bytes of either, whose form the server's player changes. It knows no YAML.

mod active;
mod damage;
mod decode;
mod document;
mod false_facts;
mod name;
mod response_instead;
mod spec;
mod stream;
mod try_counts;
mod wire_answer;

pub use self::active::{ActiveFaults, BlockingFault, ChunkCutting, CutStream, Encoding, UnusualForms};
pub use self::decode::{OPTIONS, check_entry, decode_faults, parse_fault};
pub use self::document::play_document;
pub use self::false_facts::with_false_facts;
pub use self::name::{FaultError, NAMES};
pub use self::response_instead::{AfterError, RefusedRequest, ResponseInstead, response_instead};
pub use self::spec::{FaultSpec, LostRunRecord, ProxyPage, Replacement, RunningReplies};
pub use self::stream::{event_in_form, play_stream};
pub use self::try_counts::TryCounts;
pub use self::wire_answer::{BrokenConnection, WireAnswer, WireStep};
