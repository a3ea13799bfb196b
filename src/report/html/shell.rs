//! The frame of every page: a policy that lets nothing in, the style, and the script at the end.

use std::io::{self, Write};

/// A word that only the page's own script and style carry. An answer came before the run's id and seed were known to
/// anybody but this program, so it cannot name the word even if it found a way out of its element.
pub(super) fn nonce(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("flowproof report.html nonce");
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Begins a page up to its content.
pub(super) fn begin(out: &mut impl Write, nonce: &str, title: &str, style: &str) -> io::Result<()> {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"
    );
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"flowproof {}\">\n<title>{}</title>\n<style nonce=\"{nonce}\">\n{style}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(title)
    )
}

/// Ends a page with its script: parts that share one scope of their own.
pub(super) fn end(out: &mut impl Write, nonce: &str, scripts: &[&str]) -> io::Result<()> {
    write!(out, "<script nonce=\"{nonce}\">\n(() => {{\n\"use strict\";\n")?;
    scripts.iter().try_for_each(|script| out.write_all(script.as_bytes()))?;
    out.write_all(b"})();\n</script>\n</body>\n</html>\n")
}

/// A text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
