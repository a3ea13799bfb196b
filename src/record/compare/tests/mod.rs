//! Tests.

pub(crate) mod calibration;
