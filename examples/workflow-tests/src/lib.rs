//! A crate whose Dify workflows are tested by `cargo test`: see `tests/workflows.rs` and `suites/`.
