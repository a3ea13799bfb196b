//! The forms in which a secret may be written, each a text to look for. `docs/security.md` promises these and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base::visible::{LineEnds, visible};

/// Pieces of Base64 shorter than this occur by chance.
const SHORTEST_PIECE: usize = 6;
/// Longer secrets are looked for as they are, in their lines and in JSON only: their other forms would take much memory.
const LONGEST: usize = 4_096;
/// The shortest line of a secret that is looked for by itself.
const SHORTEST_LINE: usize = 6;
/// The characters that the usual URL encoders leave alone: RFC 3986, encodeURIComponent, HTML forms, Python's `quote`, and
/// those that leave none alone.
const UNRESERVED: [Option<&[u8]>; 5] =
    [Some(b"-_.~"), Some(b"-_.!~*'()"), Some(b"*-._"), Some(b"-_.~/"), None];

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

/// Adds every form of a secret, and of its lines where it has several.
pub(super) fn add_forms(forms: &mut BTreeSet<String>, secret: &str) {
    let lines = secret.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST_LINE);
    for text in std::iter::once(secret).chain(lines.filter(|line| *line != secret)) {
        add_forms_of(forms, text);
    }
}

fn add_forms_of(forms: &mut BTreeSet<String>, secret: &str) {
    forms.insert(secret.to_owned());
    if secret.len() > LONGEST {
        forms.extend(json_forms(secret));
        return;
    }
    forms.extend(nested_json_forms(secret));
    let mut written = shown_forms(secret);
    written.extend(html_forms(secret));
    // A record of what was shown is JSON again.
    forms.extend(written.iter().map(|form| json_form(form)));
    forms.append(&mut written);
    for unreserved in UNRESERVED {
        for (hex, space) in [(HEX_UPPER, "%20"), (HEX_LOWER, "%20"), (HEX_UPPER, "+"), (HEX_LOWER, "+")] {
            forms.insert(url_encoded(secret, unreserved, hex, space));
        }
    }
    forms.extend(
        [HEX_UPPER, HEX_LOWER].map(|hex| secret.bytes().flat_map(|byte| hex_of(byte, hex)).collect()),
    );
    for alphabet in [BASE64, BASE64_URL] {
        forms.extend(base64_forms(secret.as_bytes(), alphabet));
    }
}

/// JSON within JSON: three levels, escaped by whatever encoder, and a fourth that our own records add.
fn nested_json_forms(secret: &str) -> BTreeSet<String> {
    let once = json_forms(secret);
    let twice: BTreeSet<String> = once.iter().flat_map(|form| json_forms(form)).collect();
    let thrice: BTreeSet<String> = twice.iter().flat_map(|form| json_forms(form)).collect();
    let last = thrice.iter().map(|form| json_form(form)).collect();
    [once, twice, thrice, last].into_iter().flatten().collect()
}

/// The inside of a JSON text, as serde writes it and as encoders that keep to ASCII or escape slashes do.
fn json_forms(text: &str) -> BTreeSet<String> {
    let plain = json_form(text);
    let ascii = |hex: &[u8; 16]| -> String {
        let escape = |c: char| match c {
            c if c.is_ascii() && c != '\u{7f}' => c.to_string(),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{}", hex_digits(*unit, hex)))
                .collect(),
        };
        plain.chars().map(escape).collect()
    };
    let (upper, lower) = (ascii(HEX_UPPER), ascii(HEX_LOWER));
    [plain, upper, lower].into_iter().flat_map(|form| [form.replace('/', "\\/"), form]).collect()
}

fn json_form(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As it is shown to people, quoted by a shell or by YAML, or named by Rust's `Debug`.
fn shown_forms(secret: &str) -> BTreeSet<String> {
    let debug = format!("{secret:?}");
    let mut forms = BTreeSet::from([
        visible(secret, LineEnds::One).into_owned(),
        visible(secret, LineEnds::Kept).into_owned(),
        debug[1..debug.len() - 1].to_owned(),
        secret.replace('\'', "''"),
    ]);
    forms.extend([secret.to_owned(), json_form(secret)].map(|text| text.replace('\'', "'\\''")));
    forms
}

/// As text of HTML or XML, by the usual names of both kinds of quotes.
fn html_forms(secret: &str) -> BTreeSet<String> {
    let base = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let double = ["\"", "&quot;", "&#34;", "&#x22;"].map(|name| base.replace('"', name));
    let both = double
        .iter()
        .flat_map(|text| ["'", "&#39;", "&#x27;", "&apos;", "&#039;"].map(|name| text.replace('\'', name)));
    both.collect()
}

fn hex_digits(unit: u16, hex: &[u8; 16]) -> String {
    [12, 8, 4, 0].map(|shift| char::from(hex[usize::from(unit >> shift) & 15])).iter().collect()
}

fn hex_of(byte: u8, hex: &[u8; 16]) -> [char; 2] {
    [char::from(hex[usize::from(byte >> 4)]), char::from(hex[usize::from(byte & 15)])]
}

fn url_encoded(text: &str, unreserved: Option<&[u8]>, hex: &[u8; 16], space: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        let is_kept = |kept: &[u8]| byte.is_ascii_alphanumeric() || kept.contains(&byte);
        if unreserved.is_some_and(is_kept) {
            encoded.push(char::from(byte));
        } else if byte == b' ' {
            encoded.push_str(space);
        } else {
            encoded.push('%');
            encoded.extend(hex_of(byte, hex));
        }
    }
    encoded
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Gives the Base64 (RFC 4648) of a secret that begins at each of the three places in a group of three bytes: the characters
/// that it alone decides, and, for the end of a text, those with the rest and the padding.
fn base64_forms(secret: &[u8], alphabet: &[u8; 64]) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3_usize {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(secret);
        let encoded = base64(&bytes, alphabet);
        let start = (shift * 8).div_ceil(6);
        let inner = &encoded[start.min(encoded.len())..];
        let decided = (bytes.len() * 8 / 6).saturating_sub(start).min(inner.len());
        let padding = "=".repeat((4 - encoded.len() % 4) % 4);
        forms.extend([inner[..decided].to_owned(), inner.to_owned(), format!("{inner}{padding}")]);
        forms.retain(|form| form.trim_end_matches('=').len() >= SHORTEST_PIECE);
        if shift == 0 && secret.len() >= 3 {
            forms.extend([format!("{encoded}{padding}"), encoded]);
        }
    }
    forms
}

/// Encodes without padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word =
            group.iter().zip([16, 8, 0]).fold(0_u32, |word, (byte, shift)| word | u32::from(*byte) << shift);
        for shift in [18, 12, 6, 0].into_iter().take(group.len() + 1) {
            encoded.push(char::from(alphabet[(word >> shift) as usize & 63]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    /// A key with everything in it that some encoder escapes.
    const SECRET: &str = "p@ss \"wörd\"/\n+1~'<&>7";

    fn masked(text: &str) -> String {
        Redactor::new([SECRET.to_owned()]).text(text).into_owned()
    }

    fn check(form: &str) {
        let (alone, within) = (masked(form), masked(&format!("before {form} behind")));
        assert!(alone.replace(['"', '\\'], "") == "***", "{form:?}: {alone:?}");
        assert!(
            within.starts_with("before ") && within.ends_with(" behind") && within.len() < 36,
            "{within:?}"
        );
    }

    #[test]
    fn json_is_found_to_the_third_level_and_in_a_record_of_it() {
        let mut text = SECRET.to_owned();
        for _ in 0..4 {
            text = json_form(&text);
            check(&text);
        }
        check(r#"p@ss \"w\u00f6rd\"\/\n+1~'<&>7"#);
        check(r#"p@ss \"w\u00F6rd\"/\n+1~'<&>7"#);
        check(r#"p@ss \\\"w\\u00f6rd\\\"\\/\\n+1~'<&>7"#);
        check(r#"p@ss \\\\\\\"w\\\\u00f6rd\\\\\\\"/\\\\n+1~'<&>7"#);
    }

    #[test]
    fn urls_are_found() {
        check("p%40ss%20%22w%C3%B6rd%22%2F%0A%2B1~%27%3C%26%3E7");
        check("p%40ss%20%22w%C3%B6rd%22%2F%0A%2B1~'%3C%26%3E7");
        check("p%40ss+%22w%c3%b6rd%22%2f%0a%2b1%7e%27%3c%26%3e7");
        check("p%40ss%20%22w%C3%B6rd%22/%0A%2B1~%27%3C%26%3E7");
        let every =
            |hex| SECRET.bytes().flat_map(move |byte| [vec!['%'], hex_of(byte, hex).to_vec()].concat());
        check(&every(HEX_UPPER).collect::<String>());
        check(&every(HEX_LOWER).collect::<String>());
    }

    #[test]
    fn hex_is_found() {
        for hex in [HEX_UPPER, HEX_LOWER] {
            check(&SECRET.bytes().flat_map(|byte| hex_of(byte, hex)).collect::<String>());
        }
    }

    #[test]
    fn html_is_found() {
        check("p@ss &quot;wörd&quot;/\n+1~&#39;&lt;&amp;&gt;7");
        check("p@ss &#34;wörd&#34;/\n+1~&#x27;&lt;&amp;&gt;7");
        check("p@ss \"wörd\"/\n+1~&apos;&lt;&amp;&gt;7");
        check("p@ss \"wörd\"/\n+1~'&lt;&amp;&gt;7");
    }

    #[test]
    fn what_people_and_shells_are_shown_is_found() {
        check("p@ss \"wörd\"/\\n+1~'<&>7");
        check("p@ss \"wörd\"/\n+1~'\\''<&>7");
        check("p@ss \"wörd\"/\n+1~''<&>7");
        check(&format!("{SECRET:?}"));
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        assert_eq!(base64(b"foob", BASE64), "Zm9vYg");
        assert_eq!(base64(&[251, 255], BASE64_URL), "-_8");
        let secret = "hunter22?>~";
        let redactor = Redactor::new([secret.to_owned()]);
        for alphabet in [BASE64, BASE64_URL] {
            for before in ["", "u", "us", "use", "user:"] {
                for after in ["", "x", "xy", "xyz"] {
                    let whole = base64(format!("{before}{secret}{after}").as_bytes(), alphabet);
                    let masked = redactor.text(&whole).into_owned();
                    assert!(masked.contains("***"), "{before}|{after}: {whole}");
                    let left = masked.replace("***", "").len();
                    assert!(left <= (before.len() + after.len()) * 4 / 3 + 3, "{before}|{after}: {masked}");
                }
            }
        }
        assert_eq!(redactor.text(&format!("{}=", base64(secret.as_bytes(), BASE64))), "***");
    }

    #[test]
    fn each_line_of_a_secret_is_one() {
        let redactor = Redactor::new(["-----BEGIN KEY-----\nMIIEvQIBAD\nANBg\n".to_owned()]);
        assert_eq!(redactor.text("key MIIEvQIBAD, ANBg"), "key ***, ANBg");
        let long = format!("first-line\n{}", "x".repeat(LONGEST + 1));
        let redactor = Redactor::new([long.clone()]);
        assert_eq!(redactor.text(&format!("a {long} b first-line c")), "a *** b *** c");
    }
}
