//! Causes that are a message and a hint.

use crate::record::attempt::Cause;

pub(super) fn plain(message: String, hint: &str) -> Cause {
    Cause { message, hint: Some(hint.to_owned()), class: None, stops_suite: false }
}
