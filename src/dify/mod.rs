//! Everything that knows the protocol of Dify: its types, the client, the mock, recordings, and what came back.

pub(crate) mod cassette;
pub(crate) mod client;
pub(crate) mod mock;
pub(crate) mod transcript;
pub(crate) mod wire;
