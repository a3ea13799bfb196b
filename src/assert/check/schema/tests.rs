//! What is a schema, what demands nothing, and what is too much work.

use std::fs;

use serde_json::json;

use super::*;

fn compile(schema: Value) -> Result<CompiledSchema, OperandError> {
    CompiledSchema::compile(&schema, None)
}

/// Where a schema goes wrong, and what helps.
fn wrong(schema: Value) -> (String, String, String) {
    match compile(schema.clone()) {
        Ok(_) => panic!("{schema} is taken"),
        Err(error) => (error.at.join("."), error.message, error.help.unwrap_or_default()),
    }
}

#[test]
fn misspelt_keywords_are_found_where_they_stand() {
    for (schema, at, help) in [
        (json!({ "requird": ["a"] }), "requird", "`required`"),
        (
            json!({ "type": "object", "properties": { "x": { "tpye": "string" } } }),
            "properties.x.tpye",
            "`type`",
        ),
        (
            json!({ "properties": { "a": { "items": { "anyOf": [{ "type": "string", "minLenght": 1 }] } } } }),
            "properties.a.items.anyOf.0.minLenght",
            "`minLength`",
        ),
        (json!({ "type": "string", "format": "date_time" }), "format", "`date-time`"),
        (
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "integer", "minimun": 1 } } }),
            "$defs.a.minimun",
            "`minimum`",
        ),
        (json!({ "type": "integer", "minimum": 1, "min-imum": 1 }), "min-imum", "`minimum`"),
        (json!({ "type": "string", "min_length": 1 }), "min_length", "`minLength`"),
        (json!({ "type": "string", "enm": ["a"] }), "enm", "`enum`"),
        (json!({ "ref": "#/x", "type": "string" }), "ref", "`$ref`"),
        (json!({ "$reff": "#/x", "type": "string" }), "$reff", "`$ref`"),
        (json!({ "type": "string", "no": { "const": "a" } }), "no", "`not`"),
        (json!({ "type": "string", "Pattern": "a" }), "Pattern", "`pattern`"),
        (json!({ "type": "string", "frobnicate": 1 }), "frobnicate", "`x-`"),
        (json!({ "type": "string", "format": "telephone" }), "format", "`pattern`"),
        (json!({ "not": { "contains": { "tpye": "string" } } }), "not.contains.tpye", "`type`"),
        (
            json!({ "dependentSchemas": { "a": { "requred": ["b"] } } }),
            "dependentSchemas.a.requred",
            "`required`",
        ),
        (json!({ "if": { "type": "string" }, "then": { "minLenght": 3 } }), "then.minLenght", "`minLength`"),
    ] {
        let found = wrong(schema.clone());
        assert_eq!(found.0, at, "{schema}: {}", found.1);
        assert!(found.2.contains(help), "{schema}: {}", found.2);
    }
}

#[test]
fn what_is_ignored_is_a_problem() {
    let draft_7 = "http://json-schema.org/draft-07/schema#";
    for (schema, at) in [
        (json!({ "$schema": draft_7, "prefixItems": [{ "type": "string" }] }), "prefixItems"),
        (
            json!({ "$schema": draft_7, "type": "object", "dependentRequired": { "a": ["b"] } }),
            "dependentRequired",
        ),
        (json!({ "$schema": draft_7, "type": "string", "format": "uuid" }), "format"),
        (
            json!({ "$schema": draft_7, "definitions": { "a": { "type": "string" } }, "$ref": "#/definitions/a", "minLength": 3 }),
            "minLength",
        ),
        (
            json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "string", "const": "a" }),
            "const",
        ),
        (json!({ "type": "string", "minimum": 5 }), "minimum"),
        (json!({ "type": ["string", "null"], "required": ["a"] }), "required"),
        (json!({ "type": "object", "minLength": 5 }), "minLength"),
        (json!({ "type": "string", "then": { "minLength": 3 } }), "then"),
        (json!({ "type": "array", "minContains": 2 }), "minContains"),
    ] {
        assert_eq!(wrong(schema.clone()).0, at, "{schema}");
    }
}

#[test]
fn what_is_no_keyword_by_intent_is_left_alone() {
    for schema in [
        json!({ "properties": { "requird": { "type": "string" }, "typ": true } }),
        json!({ "x-note": 1, "nullable": true, "example": 5, "type": "integer", "format": "int64" }),
        json!({ "enum": [{ "requird": 1 }], "default": { "minLenght": 1 } }),
        json!({ "const": { "format": "emial" } }),
        json!({ "type": "object", "ui:order": ["a"], "description": "d", "$comment": "c", "title": "t", "deprecated": true }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "$defs": { "a": { "type": "string" } }, "$ref": "#/$defs/a", "description": "d" }),
        json!({ "type": ["string", "integer"], "minimum": 5, "minLength": 2 }),
        json!({ "dependencies": { "a": ["b"] } }),
    ] {
        assert!(compile(schema.clone()).is_ok(), "{schema}: {:?}", compile(schema.clone()).err());
    }
}

/// Behind references, combinators and in every draft.
#[test]
fn what_refuses_nothing_is_a_problem() {
    for schema in [
        json!({}),
        json!(true),
        json!({ "title": "x", "readOnly": true }),
        json!({ "format": "int64" }),
        json!({ "x-required": ["a"] }),
        json!({ "required": [] }),
        json!({ "minLength": 0 }),
        json!({ "minItems": 0 }),
        json!({ "minProperties": 0, "uniqueItems": false }),
        json!({ "additionalProperties": true }),
        json!({ "pattern": "" }),
        json!({ "pattern": ".*" }),
        json!({ "type": ["null", "boolean", "number", "string", "array", "object"] }),
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": true } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": {} } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/b" }] }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } } }),
        json!({ "$dynamicRef": "#a", "$defs": { "a": { "$dynamicAnchor": "a" } } }),
        json!({ "$ref": "#b", "$defs": { "a": { "$anchor": "b" } } }),
        json!({ "$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": "#" }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "definitions": { "a": {} } }),
        json!({ "allOf": [{}] }),
        json!({ "anyOf": [true, { "type": "string" }] }),
        json!({ "anyOf": [{ "type": "string" }, { "not": { "type": "string" } }] }),
        json!({ "oneOf": [true] }),
        json!({ "oneOf": [{}, false] }),
        json!({ "not": false }),
        json!({ "not": { "not": {} } }),
        json!({ "if": { "type": "string" } }),
        json!({ "if": { "type": "string" }, "then": {}, "else": true }),
        json!({ "if": false, "then": { "type": "string" } }),
        json!({ "properties": { "a": {} } }),
        json!({ "properties": { "a": { "properties": { "b": { "minLength": 0 } } } } }),
        json!({ "items": true }),
        json!({ "items": { "$ref": "#" } }),
        json!({ "prefixItems": [{}] }),
        json!({ "contains": { "type": "string" }, "minContains": 0 }),
        json!({ "propertyNames": { "type": "string" } }),
        json!({ "patternProperties": { "a": {} } }),
        json!({ "dependentRequired": { "a": [] } }),
        json!({ "unevaluatedProperties": true }),
    ] {
        let (at, message, _) = wrong(schema.clone());
        let is_told = ["demands nothing", "holds for every value", "has no effect"]
            .iter()
            .any(|told| message.contains(told));
        assert!(is_told, "{schema}: {at} {message}");
    }
}

#[test]
fn what_nothing_satisfies_is_a_problem() {
    for schema in [
        json!(false),
        json!({ "not": {} }),
        json!({ "not": { "not": false } }),
        json!({ "allOf": [{ "type": "string" }, { "type": "number" }] }),
        json!({ "type": "string", "minLength": 5, "maxLength": 3 }),
        json!({ "type": "number", "minimum": 5, "maximum": 3 }),
        json!({ "type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4 }),
        json!({ "enum": [1, 2], "type": "string" }),
        json!({ "anyOf": [false] }),
        json!({ "oneOf": [{}, {}] }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "not": {} } } }),
        json!({ "type": "object", "required": ["a"], "properties": { "a": false } }),
        json!({ "type": "object", "required": ["a"], "properties": {}, "additionalProperties": false }),
        json!({ "type": "array", "contains": false }),
        json!({ "const": 1, "not": { "const": 1 } }),
    ] {
        let (_, message, _) = wrong(schema.clone());
        assert!(message.contains("can never hold"), "{schema}: {message}");
    }
}

/// The controls of both: each refuses something and takes something.
#[test]
fn sound_schemas_are_taken() {
    for schema in [
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "string" } } }),
        json!({ "type": "object", "properties": { "next": { "$ref": "#" }, "a": false } }),
        json!({ "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#" } } } }),
        json!({ "$defs": { "t": { "$dynamicAnchor": "n", "type": "object", "properties": { "c": { "$dynamicRef": "#n" } } } }, "$ref": "#/$defs/t" }),
        json!({ "anyOf": [{ "type": "string" }, { "minimum": 3 }] }),
        json!({ "oneOf": [{}, { "type": "string" }] }),
        json!({ "not": { "type": "string" } }),
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "not": { "$ref": "#" } } } }),
        json!({ "items": { "not": { "$ref": "#" } } }),
        json!({ "if": { "type": "string" }, "then": { "minLength": 1 } }),
        json!({ "if": { "type": "string" }, "else": false }),
        json!({ "properties": { "a": { "minLength": 1 } } }),
        json!({ "additionalProperties": false }),
        json!({ "items": false }),
        json!({ "minimum": 3 }),
        json!({ "type": ["null", "boolean", "number", "string", "array"] }),
        json!({ "type": ["null", "boolean", "integer", "string", "array", "object"] }),
        json!({ "enum": [true, false, null] }),
        json!({ "uniqueItems": true }),
        json!({ "contains": {} }),
        json!({ "pattern": "a*b" }),
        json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 1, "exclusiveMinimum": true }),
        json!({ "unevaluatedProperties": false, "properties": { "a": true } }),
    ] {
        assert!(compile(schema.clone()).is_ok(), "{schema}: {:?}", compile(schema.clone()).err());
    }
}

#[test]
fn files_and_what_they_name_are_looked_at_alike() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, schema: Value| fs::write(folder.path().join(name), schema.to_string()).unwrap();
    write(
        "ticket.json",
        json!({ "type": "object", "properties": { "id": { "type": "integer", "minimun": 10 } } }),
    );
    write("names.json", json!({ "$ref": "free.json#/$defs/a" }));
    write("free.json", json!({ "$defs": { "a": {}, "b": { "type": "string" } } }));
    write("sound.json", json!({ "$ref": "free.json#/$defs/b" }));
    write("slip.json", json!({ "type": "object", "properties": { "t": { "$ref": "ticket.json" } } }));
    let files = FileRoot { folder: folder.path().to_owned(), fence: Fence::around(folder.path()) };
    let load = |name: &str| CompiledSchema::load(name, &files).map(drop).map_err(|error| error.message);
    assert!(
        load("ticket.json")
            .unwrap_err()
            .contains("`minimun` (in `ticket.json` at `#/properties/id/minimun`)")
    );
    assert!(load("names.json").unwrap_err().contains("demands nothing"));
    assert_eq!(load("sound.json"), Ok(()));
    let inner = load("slip.json").unwrap_err();
    assert!(
        inner.contains("`minimun`") && inner.contains("`ticket.json` at `#/properties/id/minimun`"),
        "{inner}"
    );
    let inline = CompiledSchema::compile(&json!({ "$ref": "ticket.json" }), Some(&files)).unwrap_err();
    assert!(inline.message.contains("`minimun`") && inline.at.is_empty(), "{inline:?}");
}

fn doubling(levels: usize, keyword: &str) -> Value {
    let mut definitions = serde_json::Map::new();
    definitions.insert("a0".to_owned(), json!({ "type": "string" }));
    for level in 1..levels {
        let below = json!({ "$ref": format!("#/$defs/a{}", level - 1) });
        definitions.insert(format!("a{level}"), json!({ (keyword): [below, below] }));
    }
    json!({ "$ref": format!("#/$defs/a{}", levels - 1), "$defs": definitions })
}

#[test]
fn schemas_that_double_are_not_applied() {
    for keyword in ["allOf", "anyOf"] {
        let schema = compile(doubling(40, keyword)).unwrap();
        let Conformance::Unknown(why) = schema.check(&json!("x"), &Effort::new(100_000)) else {
            panic!("{keyword}: it is applied");
        };
        assert!(why.contains("more than 100000 steps"), "{why}");
        let schema = compile(doubling(8, keyword)).unwrap();
        assert_eq!(schema.check(&json!("x"), &Effort::default()), Conformance::Conforms);
    }
    let member =
        json!({ "type": "object", "properties": { "a": { "allOf": [{ "$ref": "#" }, { "$ref": "#" }] } } });
    let mut value = json!({});
    (0..60).for_each(|_| value = json!({ "a": value }));
    let found = compile(member).unwrap().check(&value, &Effort::new(100_000));
    assert!(matches!(found, Conformance::Unknown(_)), "{found:?}");
    let chain = |levels: usize| {
        let name = |level: usize| format!("#/$defs/a{level}");
        let link = |level: usize| (format!("a{level}"), json!({ "$ref": name(level + 1) }));
        let mut links: serde_json::Map<String, Value> = (0..levels).map(link).collect();
        links.insert(format!("a{levels}"), json!({ "type": "string" }));
        compile(json!({ "$ref": name(0), "$defs": links }))
    };
    assert!(chain(100).is_ok());
    assert!(chain(5_000).unwrap_err().message.contains("more than 200 schemas"));
}

#[test]
fn a_pattern_that_gives_up_is_unknown_wherever_it_is() {
    let long = "a".repeat(60);
    let pattern = r"^((a*)*\2b|a+)$";
    for (schema, value) in [
        (json!({ "pattern": pattern }), json!(long)),
        (json!({ "not": { "pattern": pattern } }), json!(long)),
        (json!({ "oneOf": [{ "pattern": pattern }, { "type": "null" }] }), json!(long)),
        (json!({ "if": { "pattern": pattern }, "then": false }), json!(long)),
        (json!({ "propertyNames": { "pattern": pattern } }), json!({ (long.as_str()): 1 })),
        (json!({ "patternProperties": { (pattern): { "type": "string" } } }), json!({ (long.as_str()): 1 })),
        (json!({ "items": { "pattern": pattern } }), json!(["aaa", long])),
    ] {
        let found = compile(schema.clone()).unwrap().check(&value, &Effort::default());
        assert!(matches!(found, Conformance::Unknown(_)), "{schema}: {found:?}");
    }
    let short = compile(json!({ "pattern": pattern })).unwrap();
    assert_eq!(short.check(&json!("aaa"), &Effort::default()), Conformance::Conforms);
    let either_way =
        compile(json!({ "type": "string", "anyOf": [{ "pattern": pattern }, { "minLength": 3 }] })).unwrap();
    assert_eq!(either_way.check(&json!(long), &Effort::default()), Conformance::Conforms);
}
