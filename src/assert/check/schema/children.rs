//! The schemas below the keywords of a schema, and what each of them applies to.

use serde_json::{Map, Value};

/// A schema below a keyword.
pub(super) struct Child<'r> {
    pub step: Option<&'r str>,
    pub index: Option<usize>,
    pub schema: &'r Value,
    pub reach: EdgeReach,
}

/// The schemas below a keyword.
pub(super) fn children<'r>(keyword: &'r str, value: &'r Value) -> Vec<Child<'r>> {
    let one = |reach| vec![Child { step: None, index: None, schema: value, reach }];
    match keyword {
        "properties" => members(value, |_| EdgeReach::Member),
        "patternProperties" => members(value, |_| EdgeReach::EveryMember),
        "dependentSchemas" | "dependencies" => members(value, |_| EdgeReach::Same),
        "$defs" | "definitions" => members(value, |_| EdgeReach::Nothing),
        "allOf" | "anyOf" | "oneOf" => items(value, |_| EdgeReach::Same),
        "prefixItems" => items(value, EdgeReach::Item),
        "items" if value.is_array() => items(value, EdgeReach::Item),
        "items" | "additionalItems" | "unevaluatedItems" | "contains" => one(EdgeReach::EveryItem),
        "additionalProperties" | "unevaluatedProperties" => one(EdgeReach::EveryMember),
        "propertyNames" => one(EdgeReach::MemberNames),
        "not" | "if" | "then" | "else" => one(EdgeReach::Same),
        "contentSchema" => one(EdgeReach::Nothing),
        _ => Vec::new(),
    }
}

fn members<'r>(value: &'r Value, reach: impl Fn(usize) -> EdgeReach) -> Vec<Child<'r>> {
    let all: Option<&Map<String, Value>> = value.as_object();
    let child = |(index, (name, schema)): (usize, (&'r String, &'r Value))| Child {
        step: Some(name),
        index: None,
        schema,
        reach: reach(index),
    };
    let is_schema = |(_, schema): &(&String, &Value)| schema.is_object() || schema.is_boolean();
    all.into_iter().flatten().filter(is_schema).enumerate().map(child).collect()
}

fn items<'r>(value: &'r Value, reach: impl Fn(usize) -> EdgeReach) -> Vec<Child<'r>> {
    let all = value.as_array().into_iter().flatten().enumerate();
    all.map(|(index, schema)| Child { step: None, index: Some(index), schema, reach: reach(index) }).collect()
}

/// What a schema is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeReach {
    /// The same value.
    Same,
    /// The member with the step's name.
    Member,
    EveryMember,
    MemberNames,
    /// The item with the step's index.
    Item(usize),
    EveryItem,
    /// Nothing, until a reference names it.
    Nothing,
}
