//! Finds what lets whoever holds an address use it: the signatures and tokens of signed addresses.

use std::borrow::Cow;

use regex::{Captures, Regex};

/// Parameters that sign an address: Dify's own, Amazon's, Google's, Azure's, CloudFront's, and the usual words.
const SIGNING: &str = "sign|sig|signature|nonce|token|access_token|api_key|apikey|key-pair-id|awsaccesskeyid|googleaccessid\
|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential";
/// What is where a signature was.
const MASK: &str = "***";

/// Finds and masks signatures; compiled once.
#[derive(Debug, Clone)]
pub struct Signatures {
    signed: Regex,
}

impl Signatures {
    /// Prepares the search.
    pub fn new() -> Self {
        // A value ends where an address does, at the next parameter, and at an encoded `&` of an address within another.
        let value = r#"(?:[^&\s"'\\<>()%]|%(?:[013-9A-F][0-9A-F]|2[0-57-9A-F]))+"#;
        let pattern = format!(r"(?i)((?:[?&]|%3F|%26|\\u0026)(?:{SIGNING})(?:=|%3D))({value})");
        Self { signed: Regex::new(&pattern).expect("the pattern is valid") }
    }

    /// Masks the values of signing parameters in addresses, also in one that is a parameter of another or is in JSON.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_bare = |found: Captures<'_>| &found[2] != MASK;
        if !self.signed.captures_iter(text).any(is_bare) {
            return Cow::Borrowed(text);
        }
        self.signed.replace_all(text, |found: &Captures<'_>| format!("{}{MASK}", &found[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_masked_and_addresses_stay() {
        for (signed, masked) in [
            (
                "http://h/files/1/file-preview?timestamp=17&nonce=ab12&sign=x%2By%3D",
                "http://h/files/1/file-preview?timestamp=17&nonce=***&sign=***",
            ),
            (
                "see https://b.s3.amazonaws.com/k?X-Amz-Signature=abc&X-Amz-Date=1 (soon)",
                "see https://b.s3.amazonaws.com/k?X-Amz-Signature=***&X-Amz-Date=1 (soon)",
            ),
            (
                "https://x/?u=http%3A%2F%2Fy%3Fsig%3Dabc%26b%3D1",
                "https://x/?u=http%3A%2F%2Fy%3Fsig%3D***%26b%3D1",
            ),
            (r#"{"u":"http://h/?a=1\u0026sign=abc"}"#, r#"{"u":"http://h/?a=1\u0026sign=***"}"#),
        ] {
            assert_eq!(Signatures::new().mask(signed), masked);
            assert!(matches!(Signatures::new().mask(masked), Cow::Borrowed(_)), "{masked} is masked once");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in ["sign=abc", "design=1&sign = x", "http://h/?design=abc&q=sign", ""] {
            assert!(matches!(Signatures::new().mask(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
