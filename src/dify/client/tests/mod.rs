//! Tests.

mod chat_recordings;
pub(crate) mod misbehaviour;
pub(crate) mod raw_http;
pub(crate) mod raw_server;
pub(crate) mod recordings;
