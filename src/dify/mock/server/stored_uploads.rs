//! The uploads that the mock remembers: their names, not their contents.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Uploads that are remembered.
const MOST_UPLOADS: usize = 10_000;

/// The latest uploads.
#[derive(Default)]
pub struct StoredUploads {
    order: VecDeque<String>,
    by_id: HashMap<String, Arc<Upload>>,
}

/// An uploaded file; its content is not kept.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The app whose key uploaded it.
    pub app: Arc<str>,
    /// The end user who uploaded it.
    pub user: String,
    /// Its file name.
    pub name: String,
    /// The ending of its name, without the dot.
    pub extension: String,
    /// As sent, or by its ending.
    pub mime_type: String,
    /// In bytes.
    pub size: u64,
}

impl StoredUploads {
    /// Remembers an upload, and forgets the oldest.
    pub fn keep(&mut self, upload: Upload) {
        self.order.push_back(upload.id.clone());
        self.by_id.insert(upload.id.clone(), Arc::new(upload));
        while self.order.len() > MOST_UPLOADS {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    /// An upload by its id.
    pub fn find(&self, id: &str) -> Option<Arc<Upload>> {
        self.by_id.get(id).cloned()
    }
}
