//! Where something is in a file: the place every problem and finding points at.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a source file, with the line that is there.
///
/// Lines and columns count from 1; columns count characters, as editors do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user named it, relative to the project root where possible, with `/` between folders.
    pub file: Arc<str>,
    /// Line, from 1; 0 when only the file is known.
    pub line: u32,
    /// Column in characters, from 1; 0 when only the file is known.
    pub column: u32,
    /// How many characters the thing covers on its line; at least 1.
    pub width: u32,
    /// The source line, without its end; cut to 200 characters around the column.
    pub excerpt: Arc<str>,
}

impl Place {
    /// A place that is a whole file.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0, width: 1, excerpt: Arc::from("") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}", self.file)
        } else {
            write!(f, "{}:{}:{}", self.file, self.line, self.column)
        }
    }
}
