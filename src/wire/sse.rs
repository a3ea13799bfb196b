//! Server-sent events by the WHATWG rules, on raw bytes.
