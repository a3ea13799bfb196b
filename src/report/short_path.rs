//! Paths as people write them.

use crate::base::visible::{LineEnds, visible};

/// `$['a'][0]['b c']` as people write it: `$.a[0]['b c']`.
pub(crate) fn short_path(path: &str) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find("['") {
        let name = &rest[start + 2..];
        shown.push_str(&rest[..start]);
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        let plain = end > 0 && name[end..].starts_with("']") && !name.starts_with(|c: char| c.is_numeric());
        if plain {
            shown.push('.');
            shown.push_str(&name[..end]);
            rest = &name[end + 2..];
        } else {
            let close = name.find("']").map_or(name.len(), |close| close + 2);
            shown.push_str(&rest[start..start + 2 + close]);
            rest = &name[close..];
        }
    }
    shown.push_str(rest);
    visible(&shown, LineEnds::One).into_owned()
}
