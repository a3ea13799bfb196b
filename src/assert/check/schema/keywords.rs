//! The words of JSON Schema, of all drafts, and those that other tools write into schemas.

use jsonschema::Draft;

use crate::base::spelling::edit_distance;

/// What a keyword says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeywordRole {
    /// It can refuse a value.
    Demand,
    /// It means something and demands nothing by itself.
    Structure,
    /// It is a note, here or in another tool.
    Note,
}

/// The keywords that can refuse a value.
pub(super) const DEMANDS: [&str; 42] = [
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
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "then",
    "else",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
];

/// The keywords that demand nothing by themselves.
const STRUCTURE: [&str; 14] = [
    "if",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
    "$defs",
    "definitions",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "nullable",
];

/// Notes of JSON Schema and of the tools that people share schemas with.
const NOTES: [&str; 40] = [
    "$comment",
    "title",
    "description",
    "default",
    "defaultSnippets",
    "example",
    "examples",
    "deprecated",
    "deprecationMessage",
    "doNotSuggest",
    "readOnly",
    "writeOnly",
    "discriminator",
    "xml",
    "externalDocs",
    "enumNames",
    "enumDescriptions",
    "enumTitles",
    "markdownDescription",
    "markdownEnumDescriptions",
    "errorMessage",
    "patternErrorMessage",
    "order",
    "propertyOrder",
    "propertyOrdering",
    "options",
    "widget",
    "media",
    "links",
    "base",
    "tsType",
    "tsEnumNames",
    "javaType",
    "faker",
    "meta",
    "strict",
    "name",
    "label",
    "group",
    "version",
];

/// Formats that are checked, of all drafts.
pub(super) const FORMATS: [&str; 20] = [
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

/// Formats of other tools, which say how a value is stored or shown and check nothing.
pub(super) const NOTED_FORMATS: [&str; 24] = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float",
    "double",
    "decimal",
    "byte",
    "binary",
    "password",
    "char",
    "base64",
    "base64url",
    "commonmark",
    "markdown",
    "html",
    "textarea",
    "table",
    "grid",
    "select",
];

/// Words of other dialects, and what they are in JSON Schema.
const OTHER_WORDS: [(&str, &str); 26] = [
    ("ref", "$ref"),
    ("defs", "$defs"),
    ("divisibleBy", "multipleOf"),
    ("extends", "allOf"),
    ("disallow", "not"),
    ("min", "minimum"),
    ("max", "maximum"),
    ("gte", "minimum"),
    ("lte", "maximum"),
    ("gt", "exclusiveMinimum"),
    ("lt", "exclusiveMaximum"),
    ("len", "minLength"),
    ("length", "minLength"),
    ("minLen", "minLength"),
    ("maxLen", "maxLength"),
    ("minSize", "minItems"),
    ("maxSize", "maxItems"),
    ("minCount", "minItems"),
    ("maxCount", "maxItems"),
    ("unique", "uniqueItems"),
    ("regex", "pattern"),
    ("values", "enum"),
    ("choices", "enum"),
    ("equals", "const"),
    ("fields", "properties"),
    ("elements", "items"),
];

/// What a keyword says of a value, whatever the draft; `None` where no draft and no tool knows it.
pub(super) fn role_of(keyword: &str) -> Option<KeywordRole> {
    if DEMANDS.contains(&keyword) {
        Some(KeywordRole::Demand)
    } else if STRUCTURE.contains(&keyword) {
        Some(KeywordRole::Structure)
    } else if NOTES.contains(&keyword) || is_private(keyword) {
        Some(KeywordRole::Note)
    } else {
        None
    }
}

/// True for a word that somebody made up on purpose: it begins with `x-`, or belongs to a namespace.
fn is_private(keyword: &str) -> bool {
    keyword.starts_with("x-") || keyword.starts_with("x_") || keyword.contains(':')
}

/// The keyword that a word was probably meant to be.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    let known = || DEMANDS.iter().chain(&STRUCTURE).chain(&NOTES);
    let plain = bare(word);
    if let Some(same) = known().find(|known| bare(known) == plain) {
        return Some(same);
    }
    if let Some((_, meant)) = OTHER_WORDS.iter().find(|(other, _)| bare(other) == plain) {
        return Some(meant);
    }
    let near = |known: &&&str| is_near(&plain, &bare(known));
    known().filter(near).min_by_key(|known| edit_distance(&plain, &bare(known))).copied()
}

/// A word without its signs and capitals.
fn bare(word: &str) -> String {
    word.chars().filter(|character| !"$-_ ".contains(*character)).flat_map(char::to_lowercase).collect()
}

/// True for words of which one is a slip of the other.
fn is_near(word: &str, known: &str) -> bool {
    let slips = match known.chars().count() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    word.chars().count() > 1 && edit_distance(word, known) <= slips.min(word.chars().count() - 1)
}

/// How people call a draft.
pub(super) fn name_of(draft: Draft) -> &'static str {
    match draft {
        Draft::Draft4 => "draft 4",
        Draft::Draft6 => "draft 6",
        Draft::Draft7 => "draft 7",
        Draft::Draft201909 => "draft 2019-09",
        _ => "draft 2020-12",
    }
}

/// True in drafts in which `$ref` replaces everything beside it.
pub(super) fn ref_stands_alone(draft: Draft) -> bool {
    matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7)
}

/// The types whose values a keyword looks at; `None` for one that looks at all.
pub(super) fn types_of(keyword: &str) -> Option<&'static [&'static str]> {
    match keyword {
        "minLength" | "maxLength" | "pattern" => Some(&["string"]),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            Some(&["number", "integer"])
        }
        "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "contains" | "minContains"
        | "maxContains" | "minItems" | "maxItems" | "uniqueItems" => Some(&["array"]),
        "required"
        | "properties"
        | "patternProperties"
        | "additionalProperties"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies"
        | "unevaluatedProperties" => Some(&["object"]),
        _ => None,
    }
}
