//! Names in a schema that may be those of headers.

use serde_json::Value;

/// Names of a schema that are looked at; a longer schema writes the others in lower case.
const MOST: usize = 1_000;

/// The keys and texts of a schema that may be names of headers.
pub(super) fn names_in(schema: &Value) -> Vec<String> {
    let (mut names, mut open) = (Vec::new(), vec![schema]);
    while let Some(value) = open.pop() {
        let may_be = |name: &&String| name.len() <= 100 && name.bytes().any(|byte| byte.is_ascii_uppercase());
        match value {
            Value::Object(members) => {
                names.extend(members.keys().filter(may_be).cloned());
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::String(text) => names.extend(Some(text).filter(may_be).cloned()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if names.len() >= MOST {
            break;
        }
    }
    names.truncate(MOST);
    names
}
