//! A key of the file formats, and what users are reported about it.

/// A key of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct FormatKey {
    /// How it is written.
    pub name: &'static str,
    /// What it takes, in the words of the documentation.
    pub kind: &'static str,
    /// What holds without it; `required` or `none` where nothing does.
    pub default: &'static str,
    /// What it means, as Markdown with links from `docs/format.md`.
    pub meaning: &'static str,
}

/// A key of a mapping.
pub const fn key(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> FormatKey {
    FormatKey { name, kind, default, meaning }
}

/// The names of keys, as readers take them.
pub const fn names<const N: usize>(keys: &[FormatKey; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = keys[at].name;
        at += 1;
    }
    names
}

impl FormatKey {
    /// What an editor shows of it: without links, and with what it takes.
    pub fn description(&self) -> String {
        let default = match self.default {
            "none" => String::new(),
            "required" => String::from(", required"),
            default => format!("; default: {default}"),
        };
        format!("{} ({}{default})", without_links(self.meaning), self.kind)
    }
}

/// Markdown whose links are only their texts.
fn without_links(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        let parts =
            link.split_once("](").and_then(|(shown, behind)| Some((shown, behind.split_once(')')?.1)));
        text.push_str(before);
        match parts {
            Some((shown, behind)) if !shown.contains(['[', ']']) => {
                text.push_str(shown);
                rest = behind;
            }
            Some(_) | None => {
                text.push('[');
                rest = link;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_shows_texts_of_links_and_what_a_key_takes() {
        let shown = |default| key("x", "list", default, "see [a](b.md#c), `[x]` and [d](#e)").description();
        assert_eq!(shown("none"), "see a, `[x]` and d (list)");
        assert_eq!(shown("required"), "see a, `[x]` and d (list, required)");
        assert_eq!(shown("`[]`"), "see a, `[x]` and d (list; default: `[]`)");
    }
}
