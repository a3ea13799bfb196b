//! The inputs of the apps of a target, and what messages call an app.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dify::wire::parameters::Input;

/// The inputs of each app; `None` where the mock takes whatever comes.
pub(super) type InputForms = BTreeMap<Arc<str>, Option<Vec<Input>>>;

/// What messages call an app; one without a name is the only one of its target.
pub(super) fn named(app: &str) -> String {
    if app.is_empty() { "the target's app".to_owned() } else { format!("the app `{app}`") }
}
