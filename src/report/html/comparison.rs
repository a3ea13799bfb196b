//! `compare.html`: one page of a comparison that opens from disk; its look and most of its script are those of a run's page.

use std::io::{self, Write};

use crate::report::html::STYLE;
use crate::report::html::embed;
use crate::report::html::shell;

/// The most bytes of details of all tests; a small page opens fast.
const DETAIL_BYTES: usize = 64 << 20;
/// The most bytes of the details of one test.
const CASE_BYTES: usize = 8 << 20;

/// Its content before its script has run.
const BODY: &str = concat!(include_str!("page/compare.html"), include_str!("page/foot.html"));
/// The parts of its script, in the order in which they need each other.
const SCRIPTS: [&str; 9] = [
    include_str!("page/dom.js"),
    include_str!("page/values.js"),
    include_str!("page/diff.js"),
    include_str!("page/waterfall.js"),
    include_str!("page/pairs.js"),
    include_str!("page/list.js"),
    include_str!("page/theme.js"),
    include_str!("page/keys.js"),
    include_str!("page/compare.js"),
];

/// A page that is being written.
#[derive(Debug)]
pub(crate) struct ComparePage<W> {
    out: W,
    nonce: String,
    rows: Vec<u8>,
    count: usize,
    left: usize,
}

impl<W: Write> ComparePage<W> {
    /// Begins the page with all that is known of the comparison as a whole.
    pub fn new(mut out: W, head: &[u8]) -> io::Result<Self> {
        let nonce = shell::nonce(&[&String::from_utf8_lossy(head)]);
        shell::begin(&mut out, &nonce, "flowproof compare", STYLE)?;
        out.write_all(BODY.as_bytes())?;
        embed::element(&mut out, "id=\"head\"", head)?;
        Ok(Self { out, nonce, rows: Vec::new(), count: 0, left: DETAIL_BYTES })
    }

    /// True as long as there is room for details of tests.
    pub fn has_room(&self) -> bool {
        self.left > CASE_BYTES
    }

    /// Adds a test, with its details if it has any; details beyond the bound are left out, and the page says so.
    pub fn row(&mut self, row: &[u8], details: Option<&[u8]>) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.rows.extend_from_slice(b",\n");
        }
        self.rows.extend_from_slice(row);
        if let Some(details) = details.filter(|details| details.len() <= self.left.min(CASE_BYTES)) {
            self.left -= details.len();
            embed::element(&mut self.out, &format!("id=\"case-{}\"", self.count), details)?;
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the page with the list and its script.
    pub fn finish(mut self) -> io::Result<W> {
        embed::list(&mut self.out, "id=\"rows\"", &self.rows)?;
        shell::end(&mut self.out, &self.nonce, &SCRIPTS)?;
        Ok(self.out)
    }
}
