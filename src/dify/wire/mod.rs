//! Dify's protocol as types, both ways; unknown events and fields are kept.
//!
//! Holds no I/O: `client` and `mock` are the two sides that speak it.

pub(crate) mod answer;
pub(crate) mod app_mode;
pub(crate) mod chunk;
pub(crate) mod contract;
pub(crate) mod curl;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod form;
pub(crate) mod gateway;
pub(crate) mod history;
pub(crate) mod input_refusal;
pub(crate) mod parameters;
pub(crate) mod python_number;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod retry_after;
pub(crate) mod sse;
pub(crate) mod usage;
pub(crate) mod vary;
