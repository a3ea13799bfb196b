//! Turns a reply into the bytes that Dify sends: the events of a stream, or one blocking answer.

mod blocking;
mod containers;
mod events;
mod file_object;
mod flow;
pub(super) mod graph;
mod graph_node;
mod handover;
mod ids;
pub(super) mod json;
mod layout;
mod model;
mod nodes;
pub(super) mod pauses;
mod replay;
pub(super) mod resumption;
mod run;
mod schedule;
mod sources;
mod stream;
mod stream_writer;
mod terminal_event;
pub(super) mod text;

pub use self::blocking::{log_facts, write_blocking, write_paused};
pub use self::events::{MockEvents, PING};
pub use self::graph_node::GraphNode;
pub use self::handover::{handover_event, write_handover};
pub use self::ids::{id_of, new_id};
pub use self::replay::{replayed_event, snapshot_events};
pub use self::run::{MockRun, SystemInputs};
pub use self::stream::{write_chunk, write_stream};
pub use self::terminal_event::stopped_event;
