//! Tests.

pub(crate) mod misbehaviour;
pub(crate) mod raw_http;
pub(crate) mod raw_server;
pub(crate) mod recordings;
