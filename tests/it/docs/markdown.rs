//! A Markdown page, read just well enough: its fenced blocks, headings and links.

use std::path::{Path, PathBuf};

use regex::Regex;

/// A page of the documents.
pub struct Page {
    /// Relative to the root.
    pub name: String,
    /// As it is.
    pub text: String,
    /// Its fenced blocks, in order.
    pub blocks: Vec<Block>,
}

/// A fenced block.
pub struct Block {
    /// `README.md:12`.
    pub place: String,
    /// The first word after the fence.
    pub language: String,
    /// The other words after the fence.
    pub words: Vec<String>,
    /// What is inside, without the fence's indentation.
    pub text: String,
}

impl Block {
    /// True when the word is after the fence.
    pub fn is(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// The pages: the README, the changelog and everything below `docs`.
pub fn load_pages(root: &Path) -> Vec<Page> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.extend([root.join("README.md"), root.join("CHANGELOG.md")]);
    paths.sort();
    let load = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        Page::parse(&name, &std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(load).collect()
}

impl Page {
    /// Reads a page.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            let indent = line.len() - line.trim_start().len();
            let mut words = info.split_whitespace().map(str::to_owned);
            let inside: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| line.trim() != "```")
                .map(|line| line.get(indent..).unwrap_or_default())
                .collect();
            blocks.push(Block {
                place: format!("{name}:{}", number + 1),
                language: words.next().unwrap_or_default(),
                words: words.collect(),
                text: inside.join("\n") + "\n",
            });
        }
        Self { name: name.to_owned(), text: text.to_owned(), blocks }
    }

    /// The text without its fenced blocks.
    pub fn prose(&self) -> String {
        let mut fenced = false;
        let outside = |line: &&str| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        };
        self.text.lines().filter(outside).collect::<Vec<_>>().join("\n")
    }

    /// The targets of its links.
    pub fn links(&self) -> Vec<String> {
        let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
        link.captures_iter(&self.prose()).map(|found| found[1].to_owned()).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let anchor = |title: &str| -> String {
            let kept = title.trim().to_lowercase();
            kept.chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        };
        self.prose()
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#')))
            .collect()
    }

    /// What is under a `## ` heading, up to the next one.
    pub fn section(&self, title: &str) -> Option<&str> {
        let start = self.text.find(&format!("\n## {title}\n"))? + 1;
        let rest = &self.text[start..];
        Some(rest[3..].find("\n## ").map_or(rest, |end| &rest[..end + 3]))
    }
}
