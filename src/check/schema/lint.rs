//! What a schema demands, by its keywords: one that demands nothing, or is misspelt, could never be red.

use serde_json::{Map, Value};

use crate::check::operand::OperandError;
use crate::suite::problem::nearest;

/// Keywords that can refuse a value, of all drafts.
const DEMANDS: [&str; 43] = [
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "then",
    "else",
    "extends",
    "disallow",
    "divisibleBy",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
];
/// Keywords that mean something and demand nothing by themselves.
const OTHERS: [&str; 29] = [
    "if",
    "minContains",
    "maxContains",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "nullable",
    "discriminator",
    "xml",
    "externalDocs",
    "enumNames",
];
/// Formats that are checked, of all drafts.
const FORMATS: [&str; 20] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "color",
];

/// Tells whether any keyword of a schema, whatever it says, could refuse a value.
pub(super) fn can_refuse(keywords: &Map<String, Value>) -> bool {
    keywords.iter().any(|(key, value)| match (key.as_str(), value) {
        ("format", Value::String(format)) => FORMATS.contains(&format.as_str()),
        (key, _) => DEMANDS.contains(&key),
    })
}

/// Finds a misspelt keyword or format: JSON Schema ignores what it does not know.
pub(super) fn find_misspelt(schema: &Value) -> Result<(), OperandError> {
    let Value::Object(keywords) = schema else { return Ok(()) };
    for (key, value) in keywords {
        check_word(key, value)?;
        let below = match key.as_str() {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                let members = value.as_object().into_iter().flatten();
                members.map(|(name, member)| (Some(name.clone()), member)).collect()
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" | "items" if value.is_array() => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.map(|(index, item)| (Some(index.to_string()), item)).collect()
            }
            "items"
            | "additionalItems"
            | "additionalProperties"
            | "unevaluatedItems"
            | "contains"
            | "unevaluatedProperties"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else" => {
                vec![(None, value)]
            }
            _ => Vec::new(),
        };
        for (step, schema) in below {
            find_misspelt(schema).map_err(|error| {
                let error = match step {
                    Some(step) => error.under(step),
                    None => error,
                };
                error.under(key)
            })?;
        }
    }
    Ok(())
}

fn check_word(key: &str, value: &Value) -> Result<(), OperandError> {
    let format = value.as_str().filter(|format| key == "format" && !FORMATS.contains(format));
    if let Some((format, near)) = format.and_then(|format| Some((format, nearest(format, FORMATS)?))) {
        return Err(OperandError::new(format!("JSON Schema knows no format `{format}`"))
            .help(format!("did you mean `{near}`?"))
            .under(key));
    }
    // Short words and those with a hyphen are somebody's own far more often than a slip.
    if DEMANDS.contains(&key) || OTHERS.contains(&key) || key.len() < 5 || key.contains('-') {
        return Ok(());
    }
    match nearest(key, DEMANDS) {
        Some(near) => Err(OperandError::at_key(key, format!("JSON Schema knows no keyword `{key}`"))
            .help(format!("did you mean `{near}`?"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misspelt(schema: Value) -> Option<(String, String)> {
        find_misspelt(&schema).err().map(|error| (error.at.join("."), error.help.unwrap_or_default()))
    }

    #[test]
    fn misspelt_keywords_are_found_where_they_stand() {
        let deep = json!({ "properties": { "a": { "items": { "anyOf": [{ "type": "string", "minLenght": 1 }] } } } });
        let found = misspelt(deep).unwrap();
        assert_eq!(found.0, "properties.a.items.anyOf.0.minLenght");
        assert_eq!(found.1, "did you mean `minLength`?");
        assert_eq!(misspelt(json!({ "requird": ["a"] })).unwrap().0, "requird");
        assert_eq!(misspelt(json!({ "type": "string", "format": "date_time" })).unwrap().0, "format");
    }

    #[test]
    fn what_is_no_keyword_by_intent_is_left_alone() {
        for schema in [
            json!({ "properties": { "requird": { "type": "string" }, "typ": true } }),
            json!({ "x-note": 1, "nullable": true, "example": 5, "type": "integer", "format": "int64" }),
            json!({ "enum": [{ "requird": 1 }], "default": { "minLenght": 1 } }),
            json!({ "const": { "format": "emial" } }),
            json!(true),
        ] {
            assert_eq!(misspelt(schema.clone()), None, "{schema}");
        }
    }

    #[test]
    fn a_schema_of_annotations_refuses_nothing() {
        for schema in [
            json!({}),
            json!({ "title": "x", "readOnly": true, "if": { "type": "string" } }),
            json!({ "format": "int64" }),
            json!({ "x-required": ["a"] }),
        ] {
            assert!(!can_refuse(schema.as_object().unwrap()), "{schema}");
        }
        assert!(can_refuse(json!({ "format": "email" }).as_object().unwrap()));
    }
}
