//! Places of a value: the steps that lead there, and their normalized path.

/// One step from a value down to a child.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// A member of an object, by its name.
    Name(String),
    /// An element of an array, from 0.
    Index(usize),
}

/// The normalized path of a place as people write it: `$.a[0]['b c']`.
pub fn show_place(steps: &[PathStep]) -> String {
    let mut path = String::from("$");
    for step in steps {
        match step {
            PathStep::Index(index) => push_index(&mut path, *index),
            PathStep::Name(name) if is_shorthand(name) => {
                path.push('.');
                path.push_str(name);
            }
            PathStep::Name(name) => push_name(&mut path, name),
        }
    }
    path
}

/// True for a name that may follow a dot.
fn is_shorthand(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}

/// Appends `['name']` to a normalized path, escaped as RFC 9535 prescribes.
pub fn push_name(path: &mut String, name: &str) {
    path.push_str("['");
    for character in name.chars() {
        match character {
            '\u{8}' => path.push_str("\\b"),
            '\t' => path.push_str("\\t"),
            '\n' => path.push_str("\\n"),
            '\u{c}' => path.push_str("\\f"),
            '\r' => path.push_str("\\r"),
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            control if control < ' ' => path.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => path.push(other),
        }
    }
    path.push_str("']");
}

/// Appends `[index]` to a normalized path.
pub fn push_index(path: &mut String, index: usize) {
    path.push_str(&format!("[{index}]"));
}
