//! Dify's types of files, by the ending of a name.
//!
//! Source: Dify's `constants/__init__.py`, the lists of extensions by which it checks a file's `type` itself.

/// What is known of an ending: Dify's type and the media type.
const ENDINGS: [(&str, &str, &str); 40] = [
    ("jpg", "image", "image/jpeg"),
    ("jpeg", "image", "image/jpeg"),
    ("png", "image", "image/png"),
    ("webp", "image", "image/webp"),
    ("gif", "image", "image/gif"),
    ("svg", "image", "image/svg+xml"),
    ("mp4", "video", "video/mp4"),
    ("mov", "video", "video/quicktime"),
    ("mpeg", "video", "video/mpeg"),
    ("webm", "video", "video/webm"),
    ("mp3", "audio", "audio/mpeg"),
    ("m4a", "audio", "audio/mp4"),
    ("wav", "audio", "audio/wav"),
    ("amr", "audio", "audio/amr"),
    ("mpga", "audio", "audio/mpeg"),
    ("txt", "document", "text/plain"),
    ("markdown", "document", "text/markdown"),
    ("md", "document", "text/markdown"),
    ("mdx", "document", "text/markdown"),
    ("pdf", "document", "application/pdf"),
    ("html", "document", "text/html"),
    ("htm", "document", "text/html"),
    ("xlsx", "document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xls", "document", "application/vnd.ms-excel"),
    ("vtt", "document", "text/vtt"),
    ("properties", "document", "text/plain"),
    ("doc", "document", "application/msword"),
    ("docx", "document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("csv", "document", "text/csv"),
    ("eml", "document", "message/rfc822"),
    ("msg", "document", "application/vnd.ms-outlook"),
    ("pptx", "document", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("ppt", "document", "application/vnd.ms-powerpoint"),
    ("xml", "document", "application/xml"),
    ("epub", "document", "application/epub+zip"),
    ("json", "document", "application/json"),
    ("yaml", "document", "application/yaml"),
    ("yml", "document", "application/yaml"),
    ("log", "custom", "text/plain"),
    ("zip", "custom", "application/zip"),
];

/// Dify's type of a path or address: `document`, `image`, `audio`, `video`, otherwise `custom`.
pub fn file_kind(name: &str) -> &'static str {
    known(name).map_or("custom", |(_, kind, _)| kind)
}

/// The media type of a path or address.
pub fn media_type(name: &str) -> &'static str {
    known(name).map_or("application/octet-stream", |(_, _, media)| media)
}

fn known(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let (_, ending) = last.rsplit_once('.')?;
    ENDINGS.into_iter().find(|(known, _, _)| ending.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_type() {
        for (name, kind, media) in [
            ("a/b.PDF", "document", "application/pdf"),
            ("https://example.com/a.png?sig=x.y#z", "image", "image/png"),
            ("x.tar.gz", "custom", "application/octet-stream"),
            ("no-ending", "custom", "application/octet-stream"),
            ("dir.md/file", "custom", "application/octet-stream"),
            ("", "custom", "application/octet-stream"),
        ] {
            assert_eq!((file_kind(name), media_type(name)), (kind, media), "{name}");
        }
    }
}
