//! Names of files that every file system takes, made of any text.

use percent_encoding::percent_encode_byte;

/// Names that Windows keeps for devices, whatever ending follows.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// A name of letters, digits, `.`, `_`, `-` and `%XX`, from which the text can be read again.
pub fn encoded(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 8);
    for (place, byte) in text.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && place > 0);
        if plain && !(place == 0 && is_device(text)) {
            name.push(char::from(byte));
        } else {
            name.push_str(percent_encode_byte(byte));
        }
    }
    name
}

/// True for `con`, `nul`, `com1` and the like, alone or before a point.
fn is_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let bare = stem.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(&stem);
    DEVICES.contains(&bare) && (stem.len() == 3 || stem.len() == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_becomes_a_safe_name() {
        assert_eq!(encoded("refund[row 1]"), "refund%5Brow%201%5D");
        assert_eq!(encoded("../x"), "%2E.%2Fx");
        assert_eq!(encoded("é"), "%C3%A9");
        assert_eq!(encoded("con"), "%63on");
        assert_eq!(encoded("COM1.x"), "%43OM1.x");
        assert_eq!(encoded("content"), "content");
        assert_ne!(encoded("%2F"), encoded("/"));
    }
}
