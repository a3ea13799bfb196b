//! Whether the body of an answer can be read as it is encoded: plain or gzip, and text in UTF-8.

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

/// True where the body is gzip and nothing else (RFC 9110, 8.4.1: names of codings have no case).
pub(super) fn is_gzip(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let is_gzip =
        encodings.next().is_some_and(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"gzip"));
    is_gzip && encodings.next().is_none()
}

/// Why a body cannot be read, a clause; `None` where it can.
///
/// flowproof asks for no compression. What is gzip all the same is decompressed, and its header was taken away.
pub(super) fn unreadable_encoding(headers: &HeaderMap) -> Option<String> {
    let encodings = headers.get_all(CONTENT_ENCODING).iter();
    let encodings: Vec<String> =
        encodings.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).collect();
    let encoding = encodings.join(", ");
    let is_plain = |coding: &str| coding.trim().is_empty() || coding.trim().eq_ignore_ascii_case("identity");
    if !encoding.split(',').all(is_plain) {
        return Some(format!(
            "it has `Content-Encoding: {encoding}`, which was not asked for and is not read"
        ));
    }
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })?;
    let is_utf8 =
        ["utf-8", "utf8", "us-ascii", "ascii", ""].iter().any(|known| charset.eq_ignore_ascii_case(known));
    (!is_utf8).then(|| format!("its text has the encoding `charset={charset}`, and only UTF-8 is read"))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn reason(headers: &[(&'static str, &str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        unreadable_encoding(&map)
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for coding in ["br", "zstd", "deflate", "x-gzip", "gzip, br", "aes128gcm"] {
            let told = reason(&[("content-encoding", coding)]).unwrap();
            assert!(told.contains(&format!("`Content-Encoding: {coding}`")), "{told}");
        }
        let two = reason(&[("content-encoding", "identity"), ("content-encoding", "br")]).unwrap();
        assert!(two.contains("identity, br"), "{two}");
        let told = reason(&[("content-type", "text/event-stream; charset=\"GBK\"")]).unwrap();
        assert!(told.contains("charset=GBK"), "{told}");
    }

    #[test]
    fn plain_text_in_utf_8_is_read() {
        for headers in [
            vec![],
            vec![("content-encoding", "identity"), ("content-type", "application/json")],
            vec![("content-encoding", ""), ("content-type", "text/event-stream; charset=UTF-8")],
            vec![("content-type", "application/json; charset=us-ascii; x=y")],
        ] {
            assert_eq!(reason(&headers), None);
        }
    }
}
