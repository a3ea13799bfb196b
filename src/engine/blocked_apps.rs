//! Apps that get no more requests, since every further test of them would meet the same error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::base::lock::lock;
use crate::record::attempt::Cause;

/// The first such error of each app.
#[derive(Debug, Default)]
pub struct BlockedApps {
    causes: Mutex<HashMap<Arc<str>, Cause>>,
}

impl BlockedApps {
    /// The error for which an app is blocked; `None` if it is not.
    pub fn cause(&self, app: &str) -> Option<Cause> {
        lock(&self.causes).get(app).cloned()
    }

    /// Blocks an app; a later error does not replace the first.
    pub fn block(&self, app: &Arc<str>, cause: &Cause) {
        let mut causes = lock(&self.causes);
        causes.entry(app.clone()).or_insert_with(|| cause.clone());
    }
}
