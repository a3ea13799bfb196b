//! Filters, tests and methods that a template calls: whether they exist, and whether they take this many arguments.

use minijinja::machinery::ast::{Call, CallArg, Expr, Filter, Test};
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};

/// The names that every template may use.
pub(super) const ROOTS: [&str; 6] = ["vars", "row", "env", "test", "run", "repeat"];
/// The engine's filters, for "did you mean".
const FILTERS: [&str; 43] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];
/// The engine's tests, for "did you mean".
const TESTS: [&str; 22] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
];
/// Methods of Python's values, and what to write here.
const METHODS: [(&str, &str); 18] = [
    ("strip", "| trim"),
    ("lstrip", "| trim"),
    ("rstrip", "| trim"),
    ("upper", "| upper"),
    ("lower", "| lower"),
    ("title", "| title"),
    ("capitalize", "| capitalize"),
    ("replace", "| replace(…)"),
    ("split", "| split(…)"),
    ("splitlines", "| lines"),
    ("join", "| join(…)"),
    ("items", "| items"),
    ("keys", "| list"),
    ("get", "| default(…)"),
    ("format", "| format(…)"),
    ("startswith", "is startingwith(…)"),
    ("endswith", "is endingwith(…)"),
    ("length", "| length"),
];
/// A number in an argument from which on a filter is not tried out: it may make as much text.
const LARGE: i64 = 1_000;

/// What can only fail in a filter's use.
pub(super) fn fault_of_filter(environment: &Environment<'_>, filter: &Filter<'_>) -> Option<String> {
    if !has_filter(environment, filter.name) {
        return Some(no_such("filter", filter.name, &FILTERS));
    }
    let takes = match filter.name {
        "map" => named(&filter.args, 0)
            .filter(|name| !has_filter(environment, name))
            .map(|name| MissingName { kind: "filter", name }),
        "select" | "reject" => missing_test(environment, &filter.args, 0),
        "selectattr" | "rejectattr" => missing_test(environment, &filter.args, 1),
        _ => None,
    };
    if let Some(MissingName { kind, name }) = takes {
        let known = if kind == "filter" { &FILTERS[..] } else { &TESTS[..] };
        return Some(no_such(kind, &name, known));
    }
    let apply = |arguments: &[Value]| environment.empty_state().apply_filter(filter.name, arguments).err();
    let said = misfit(&filter.args, apply)?;
    Some(format!("the filter `{}` cannot be called so: {said}", filter.name))
}

/// What can only fail in a test's use.
pub(super) fn fault_of_test(environment: &Environment<'_>, test: &Test<'_>) -> Option<String> {
    if !has_test(environment, test.name) {
        return Some(no_such("test", test.name, &TESTS));
    }
    let perform = |arguments: &[Value]| environment.empty_state().perform_test(test.name, arguments).err();
    let said = misfit(&test.args, perform)?;
    Some(format!("the test `{}` cannot be called so: {said}", test.name))
}

/// What can only fail in a call: a method, for values have none but those of `loop` and of what the template defines itself.
pub(super) fn fault_of_call(call: &Call<'_>) -> Option<String> {
    let Expr::GetAttr(method) = &call.expr else { return None };
    let has_none = match root_of(&method.expr) {
        ExpressionRoot::Name("loop") => !matches!(method.name, "cycle" | "changed"),
        ExpressionRoot::Name(name) => ROOTS.contains(&name),
        ExpressionRoot::Value => true,
        ExpressionRoot::Unknown => false,
    };
    if !has_none {
        return None;
    }
    let instead = METHODS.iter().find(|(name, _)| *name == method.name);
    let help =
        instead.map_or_else(String::new, |(_, instead)| format!("; write `{instead}` after the value"));
    Some(format!("values have no methods, and so no `{}()`{help}", method.name))
}

/// What an expression takes its value from.
enum ExpressionRoot<'a> {
    /// A name.
    Name(&'a str),
    /// A text, a number, a list or what a filter made.
    Value,
    /// What a call gave.
    Unknown,
}

fn root_of<'a>(expression: &'a Expr<'a>) -> ExpressionRoot<'a> {
    match expression {
        Expr::Var(name) => ExpressionRoot::Name(name.id),
        Expr::GetAttr(attribute) => root_of(&attribute.expr),
        Expr::GetItem(item) => root_of(&item.expr),
        Expr::Slice(slice) => root_of(&slice.expr),
        Expr::Call(_) | Expr::IfExpr(_) => ExpressionRoot::Unknown,
        Expr::Const(_)
        | Expr::UnaryOp(_)
        | Expr::BinOp(_)
        | Expr::Compare(_)
        | Expr::Filter(_)
        | Expr::Test(_)
        | Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Map(_) => ExpressionRoot::Value,
    }
}

fn no_such(kind: &str, name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .filter(|known| is_slip(name, known))
        .min_by_key(|known| known.len().abs_diff(name.len()));
    match near {
        Some(near) => format!("there is no {kind} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {kind} `{name}`"),
    }
}

/// True for two words of which one letter is missing, too many, wrong, or in the place of its neighbour.
fn is_slip(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    let start = word.iter().zip(known).take_while(|(one, other)| one == other).count();
    let (word, known) = (&word[start..], &known[start..]);
    let swapped =
        |a: &[u8], b: &[u8]| a.len() > 1 && b.len() > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    word.get(1..) == Some(known)
        || known.get(1..) == Some(word)
        || matches!((word.get(1..), known.get(1..)), (Some(one), Some(other)) if one == other)
        || swapped(word, known)
}

fn has_filter(environment: &Environment<'_>, name: &str) -> bool {
    let tried = environment.empty_state().apply_filter(name, &[]);
    !matches!(tried, Err(error) if error.kind() == ErrorKind::UnknownFilter)
}

fn has_test(environment: &Environment<'_>, name: &str) -> bool {
    let tried = environment.empty_state().perform_test(name, &[]);
    !matches!(tried, Err(error) if error.kind() == ErrorKind::UnknownTest)
}

/// The text that is in an argument's place, where one is written there.
fn named(arguments: &[CallArg<'_>], place: usize) -> Option<String> {
    match arguments.get(place) {
        Some(CallArg::Pos(Expr::Const(constant))) => constant.value.as_str().map(str::to_owned),
        Some(CallArg::Pos(_) | CallArg::Kwarg(..) | CallArg::PosSplat(_) | CallArg::KwargSplat(_)) | None => {
            None
        }
    }
}

/// A filter or a test that another one takes by its name, and that there is none of.
struct MissingName {
    kind: &'static str,
    name: String,
}

fn missing_test(
    environment: &Environment<'_>,
    arguments: &[CallArg<'_>],
    place: usize,
) -> Option<MissingName> {
    named(arguments, place)
        .filter(|name| !has_test(environment, name))
        .map(|name| MissingName { kind: "test", name })
}

/// What is wrong with the number or the names of arguments, if it is so whatever the value: each kind of value is tried.
fn misfit(arguments: &[CallArg<'_>], call: impl Fn(&[Value]) -> Option<Error>) -> Option<String> {
    let given = stand_ins(arguments)?;
    let values =
        [Value::from(""), Value::from(1), Value::from(Vec::<Value>::new()), Value::from_pairs([("a", 1)])];
    let mut said = None;
    for value in values {
        let all: Vec<Value> = std::iter::once(value).chain(given.iter().cloned()).collect();
        let error = call(&all)?;
        if !matches!(error.kind(), ErrorKind::MissingArgument | ErrorKind::TooManyArguments) {
            return None;
        }
        said = Some(match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        });
    }
    said
}

/// Values for the arguments: those that are written, else a text; `None` where their number is not known.
fn stand_ins(arguments: &[CallArg<'_>]) -> Option<Vec<Value>> {
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            CallArg::Pos(value) => values.push(stand_in(value)?),
            CallArg::Kwarg(name, value) => names.push((*name, stand_in(value)?)),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return None,
        }
    }
    if !names.is_empty() {
        values.push(Kwargs::from_iter(names).into());
    }
    Some(values)
}

fn stand_in(expression: &Expr<'_>) -> Option<Value> {
    let Expr::Const(constant) = expression else { return Some(Value::from("")) };
    let is_small = i64::try_from(constant.value.clone()).is_ok_and(|number| number.abs() <= LARGE);
    (is_small || !constant.value.is_number()).then(|| constant.value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_name_what_the_engine_has() {
        let environment = Environment::new();
        for name in FILTERS {
            assert!(has_filter(&environment, name), "{name}");
        }
        for name in TESTS {
            assert!(has_test(&environment, name), "{name}");
        }
        assert!(!has_filter(&environment, "uper") && !has_test(&environment, "strnig"));
    }
}
