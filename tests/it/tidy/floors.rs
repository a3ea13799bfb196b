//! The floors and the homes of crates, read from `docs/architecture.md`.

use std::collections::BTreeMap;

use regex::Regex;

/// Which room is on which floor, and which crates have a home.
pub struct House {
    floors: BTreeMap<String, u8>,
    homes: BTreeMap<String, Vec<String>>,
}

impl House {
    /// Reads the tables: rows that begin with a floor's number, and rows that begin with a name under "Homes".
    pub fn parse(document: &str) -> Self {
        let word = Regex::new(r"`([\w/]+)`").unwrap();
        let words = |cell: &str| -> Vec<String> {
            word.captures_iter(cell).map(|found| found[1].trim_end_matches('/').to_owned()).collect()
        };
        let (mut floors, mut homes) = (BTreeMap::new(), BTreeMap::new());
        let mut title = "";
        for line in document.lines() {
            title = line.strip_prefix("## ").unwrap_or(title);
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [first, second, ..] = cells.as_slice() else { continue };
            if let Ok(floor) = first.parse::<u8>() {
                floors.extend(words(second).into_iter().map(|room| (room, floor)));
            } else if first.starts_with('`') {
                let named = words(first).into_iter().map(|name| (name, words(second)));
                if title == "Homes" {
                    homes.extend(named);
                }
            }
        }
        Self { floors, homes }
    }

    /// The floor of a room.
    pub fn floor(&self, room: &str) -> Option<u8> {
        self.floors.get(room).copied()
    }

    /// The rooms or files that may use a crate; empty for one that may be used anywhere.
    pub fn homes(&self, name: &str) -> &[String] {
        self.homes.get(name).map_or(&[], Vec::as_slice)
    }

    /// The crates that have a home.
    pub fn housed(&self) -> impl Iterator<Item = &str> {
        self.homes.keys().map(String::as_str)
    }
}
