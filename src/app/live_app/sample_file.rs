//! Small files of each of Dify's types, to be uploaded by a first suite.

use crate::dify::wire::parameters::FileRules;

/// A picture of one white point: PNG.
const DOT: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90\x77\x53\xde\
    \0\0\0\x0cIDAT\x78\xda\x63\xf8\xff\xff\x3f\0\x05\xfe\x02\xfe\x33\x12\x95\x14\0\0\0\0IEND\xae\x42\x60\x82";
/// The endings of which a file of plain text is a sound one.
const TEXTS: [&str; 5] = ["txt", "md", "csv", "log", "markdown"];

/// A small file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleFile {
    /// Its ending, without a dot.
    pub ending: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether `type: custom` must be said of it.
    pub is_custom: bool,
}

/// A file that an input takes, or why none can be made.
pub fn small(rules: &FileRules) -> Result<SampleFile, String> {
    if !rules.methods.is_empty() && !rules.methods.iter().any(|method| method == "local_file") {
        return Err("takes only addresses of files".to_owned());
    }
    let takes = |kind: &str| rules.types.is_empty() || rules.types.iter().any(|known| known == kind);
    let made = |ending: &str| {
        make(ending).map(|bytes| SampleFile { ending: ending.to_owned(), bytes, is_custom: false })
    };
    let plain = [("document", "txt"), ("image", "png"), ("audio", "wav")];
    let found = plain.into_iter().filter(|(kind, _)| takes(kind)).find_map(|(_, ending)| made(ending));
    found.or_else(|| custom(rules)).ok_or_else(|| {
        let wanted: Vec<&str> = rules.types.iter().chain(&rules.extensions).map(String::as_str).collect();
        format!("takes only files that flowproof cannot make ({})", wanted.join(", "))
    })
}

fn custom(rules: &FileRules) -> Option<SampleFile> {
    let endings = rules.extensions.iter().map(|ending| ending.trim_start_matches('.').to_lowercase());
    let mut custom = endings.filter(|_| rules.types.iter().any(|kind| kind == "custom"));
    custom.find_map(|ending| make(&ending).map(|bytes| SampleFile { ending, bytes, is_custom: true }))
}

fn make(ending: &str) -> Option<Vec<u8>> {
    match ending {
        "png" => Some(DOT.to_vec()),
        "wav" => Some(silence()),
        "json" => Some(b"{\"sample\": \"of flowproof\"}\n".to_vec()),
        text if TEXTS.contains(&text) => Some(b"A small sample, written by flowproof.\n".to_vec()),
        _ => None,
    }
}

/// A tenth of a second of silence: WAV, 8 kHz, 8 bits, one channel.
fn silence() -> Vec<u8> {
    const SAMPLES: u32 = 800;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + SAMPLES).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data");
    bytes.extend(SAMPLES.to_le_bytes());
    bytes.resize(bytes.len() + SAMPLES as usize, 0x80);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::wire::file::file_kind;

    fn kind_of(small: &SampleFile) -> &'static str {
        if small.is_custom { "custom" } else { file_kind(&format!("a.{}", small.ending)) }
    }

    fn rules(types: &[&str], extensions: &[&str], methods: &[&str]) -> FileRules {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        FileRules { types: owned(types), extensions: owned(extensions), methods: owned(methods) }
    }

    #[test]
    fn each_type_gets_a_file_of_its_own_or_a_reason() {
        for (types, extensions, ending, kind) in [
            (&[][..], &[][..], "txt", "document"),
            (&["image", "document"], &[], "txt", "document"),
            (&["image"], &[], "png", "image"),
            (&["video", "audio"], &[], "wav", "audio"),
            (&["custom"], &[".PDF", ".MD"], "md", "custom"),
        ] {
            let small = small(&rules(types, extensions, &["local_file"])).unwrap();
            assert_eq!((small.ending.as_str(), kind_of(&small)), (ending, kind));
        }
        assert!(small(&rules(&["video"], &[], &[])).unwrap_err().contains("video"));
        assert!(small(&rules(&["custom"], &[".pdf"], &[])).unwrap_err().contains(".pdf"));
        assert!(small(&rules(&["image"], &[], &["remote_url"])).unwrap_err().contains("addresses"));
    }

    #[test]
    fn the_files_are_what_their_endings_say() {
        assert_eq!(silence().len(), 844);
        assert!(silence().starts_with(b"RIFF\x44\x03\0\0WAVE"));
        assert!(DOT.starts_with(b"\x89PNG\r\n\x1a\n") && DOT.ends_with(b"IEND\xae\x42\x60\x82"));
    }
}
