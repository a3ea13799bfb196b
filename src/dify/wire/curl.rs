//! The `curl` line that repeats a run, quoted for a POSIX shell; the key stays a variable.

use crate::base::visible::is_hidden;

/// Writes the line for a run's address and JSON body.
pub fn render_curl(url: &str, body: &str) -> String {
    let mut line = String::with_capacity(url.len() + body.len() + 128);
    line.push_str("curl -sS -N -X POST ");
    push_quoted(&mut line, url);
    line.push_str(" -H \"Authorization: Bearer $DIFY_API_KEY\" -H 'Content-Type: application/json' -d ");
    push_quoted(&mut line, &escaped(body));
    line
}

/// JSON in which what cannot be seen is escaped: it stays the same JSON however the line is shown and copied.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii_control() || !is_hidden(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// Quotes by single quotes; one within is closed, escaped and opened again.
fn push_quoted(line: &mut String, text: &str) {
    line.push('\'');
    let mut parts = text.split('\'');
    line.push_str(parts.next().unwrap_or_default());
    for part in parts {
        line.push_str("'\\''");
        line.push_str(part);
    }
    line.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_and_stays_the_same() {
        let body = serde_json::json!({ "text": "10\u{a0}000 re\u{200b}fund \u{e0041} é" }).to_string();
        let line = render_curl("http://h", &body);
        assert!(line.ends_with(r#"'{"text":"10\u00a0000 re\u200bfund \udb40\udc41 é"}'"#), "{line}");
        let sent = line.rsplit("-d ").next().unwrap().trim_matches('\'');
        assert_eq!(serde_json::from_str::<serde_json::Value>(sent).unwrap().to_string(), body);
    }

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let body = r#"{"text":"it's $HOME `id` \"q\" \\ !"}"#;
        let line = render_curl("http://h/v1/workflows/run", body);
        assert!(line.starts_with("curl -sS -N -X POST 'http://h/v1/workflows/run' -H \"Authorization: Bearer $DIFY_API_KEY\" -H "), "{line}");
        let script = line.replacen("curl ", "printf '%s\\n' ", 1);
        let output =
            std::process::Command::new("sh").arg("-c").arg(script).env("DIFY_API_KEY", "k").output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        assert_eq!(words.lines().last(), Some(body));
    }
}
