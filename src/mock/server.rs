//! The mock's HTTP server.

/// How the mock behaves.
#[derive(Debug, Clone)]
pub struct MockOptions {}
