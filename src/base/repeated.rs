//! Keys that an object of JSON gives twice: which of the two values counts, nobody knows.

use std::collections::HashSet;

use super::borrowed_json::BorrowedValue;
use super::json_path::PathStep;

/// The most places that are kept.
const MOST: usize = 100;
/// Members of an object that are compared with each other; of more, a set is made.
const FEW: usize = 16;

/// Where the keys are that are given twice in one object, the first hundred.
pub fn repeated_keys(value: &BorrowedValue<'_>) -> Vec<Vec<PathStep>> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &BorrowedValue<'_>, at: &mut Vec<PathStep>, found: &mut Vec<Vec<PathStep>>) {
    match value {
        BorrowedValue::Object(members) => {
            for key in repeated(members) {
                if found.len() < MOST {
                    found.push(at.iter().cloned().chain([PathStep::Name(key.to_owned())]).collect());
                }
            }
            for (key, member) in members.iter().filter(|(_, member)| has_members(member)) {
                at.push(PathStep::Name(key.clone().into_owned()));
                walk(member, at, found);
                at.pop();
            }
        }
        BorrowedValue::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| has_members(item)) {
                at.push(PathStep::Index(index));
                walk(item, at, found);
                at.pop();
            }
        }
        BorrowedValue::Null | BorrowedValue::Bool(_) | BorrowedValue::Number(_) | BorrowedValue::Text(_) => {}
    }
}

fn has_members(value: &BorrowedValue<'_>) -> bool {
    match value {
        BorrowedValue::Object(members) => !members.is_empty(),
        BorrowedValue::Array(items) => !items.is_empty(),
        BorrowedValue::Null | BorrowedValue::Bool(_) | BorrowedValue::Number(_) | BorrowedValue::Text(_) => {
            false
        }
    }
}

/// The keys that an object has more than once, each once.
fn repeated<'v>(members: &'v [(std::borrow::Cow<'_, str>, BorrowedValue<'_>)]) -> Vec<&'v str> {
    let keys = || members.iter().map(|(key, _)| &**key);
    let mut repeated: Vec<&str> = if members.len() <= FEW {
        let again = |(at, key): &(usize, &str)| keys().take(*at).any(|before| before == *key);
        keys().enumerate().filter(again).map(|(_, key)| key).collect()
    } else {
        let mut seen = HashSet::new();
        keys().filter(|key| !seen.insert(*key)).collect()
    };
    repeated.sort_unstable();
    repeated.dedup();
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json_path::show_place;

    fn places(text: &str) -> Vec<String> {
        repeated_keys(&BorrowedValue::read(text).unwrap()).iter().map(|place| show_place(place)).collect()
    }

    #[test]
    fn keys_given_twice_are_found_wherever_they_stand() {
        assert_eq!(places(r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}"#), [] as [&str; 0]);
        assert_eq!(places(r#"{"a":1,"\u0061":1,"a":2}"#), ["$.a"]);
        assert_eq!(places(r#"[{"b":[0,{"x":{},"x":[]}]}]"#), ["$[0].b[1].x"]);
        let many: Vec<String> = (0..40).map(|key| format!("\"k{}\":0", key % 39)).collect();
        assert_eq!(places(&format!("{{{}}}", many.join(","))), ["$.k0"]);
    }
}
