//! A Dify that answers from the suites: a real HTTP server on loopback.

pub(crate) mod script;
pub(crate) mod server;
