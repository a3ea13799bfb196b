//! Words without a domain: places in files, units, templates, JSONPath, differences, masking, time.

pub(crate) mod bindings;
pub(crate) mod byte_order_mark;
pub(crate) mod clock;
pub(crate) mod diff;
pub(crate) mod digest;
pub(crate) mod effort;
pub(crate) mod file_name;
pub(crate) mod json_kind;
pub(crate) mod json_number;
pub(crate) mod json_path;
pub(crate) mod lean;
pub(crate) mod letters;
pub(crate) mod long_text;
pub(crate) mod member;
pub(crate) mod near;
pub(crate) mod origin;
pub(crate) mod redact;
pub(crate) mod repeat;
pub(crate) mod repeated;
pub(crate) mod rounded;
pub(crate) mod similarity;
pub(crate) mod stats;
pub(crate) mod template;
pub(crate) mod units;
pub(crate) mod visible;
pub(crate) mod workflow_id;
