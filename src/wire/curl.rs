//! The `curl` line that repeats a run, quoted for a POSIX shell; the key stays a variable.

/// Writes the line for a run's address and JSON body.
pub fn render_curl(url: &str, body: &str) -> String {
    let mut line = String::with_capacity(url.len() + body.len() + 128);
    line.push_str("curl -sS -N -X POST ");
    push_quoted(&mut line, url);
    line.push_str(" -H \"Authorization: Bearer $DIFY_API_KEY\" -H 'Content-Type: application/json' -d ");
    push_quoted(&mut line, body);
    line
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
