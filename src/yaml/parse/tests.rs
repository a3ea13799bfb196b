//! What the YAML reader accepts, refuses, and survives.

use serde_json::{Value, json};

use super::*;

fn read(bytes: impl Into<Vec<u8>>) -> (Value, Vec<String>) {
    let mut problems = Vec::new();
    let document = parse_yaml("x.yaml", bytes.into(), &mut problems);
    let texts = problems.iter().map(|problem| format!("{} {}", problem.place, problem.message)).collect();
    (document.root.map_or(Value::Null, |root| root.to_json()), texts)
}

fn value(text: &str) -> Value {
    let (value, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    value
}

fn problem(bytes: impl Into<Vec<u8>>) -> String {
    let (_, problems) = read(bytes);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.into_iter().next().unwrap()
}

#[test]
fn scalars_follow_the_core_schema() {
    let text = "[1, 1.5, 1e3, true, False, ~, null, yes, on, 012, 1_000, 2026-01-01, 0x7F, '5', !!str 5, +5]";
    let expected = json!([
        1,
        1.5,
        1000.0,
        true,
        false,
        null,
        null,
        "yes",
        "on",
        "012",
        "1_000",
        "2026-01-01",
        127,
        "5",
        "5",
        5
    ]);
    assert_eq!(value(text), expected);
}

#[test]
fn numbers_are_exact_whatever_their_length() {
    assert_eq!(
        value("[9007199254740993, 18446744073709551615, -9223372036854775808]").to_string(),
        "[9007199254740993,18446744073709551615,-9223372036854775808]"
    );
    let text = "[18446744073709551616, -9223372036854775809, 0.1000000000000000000001, 1e400, +.10000000000000000000001]";
    let kept = "[18446744073709551616,-9223372036854775809,0.1000000000000000000001,1e+400,10000000000000000000001e-23]";
    assert_eq!(value(text).to_string(), kept);
    let text = "{a: 0xFFFFFFFFFFFFFFFF, b: !!float '0.1000000000000000000001', c: 1e2, d: 1.50, e: .5}";
    let kept = r#"{"a":18446744073709551615,"b":0.1000000000000000000001,"c":100.0,"d":1.5,"e":0.5}"#;
    assert_eq!(value(text).to_string(), kept);
    assert_eq!(
        problem("a: 1e99999999999999999999"),
        "x.yaml:1:4 the number `1e99999999999999999999` is too large to be kept exactly"
    );
    assert_eq!(problem("a: [.inf]"), "x.yaml:1:5 `.inf` is not a finite number");
}

#[test]
fn numbers_that_are_not_finite_are_told_each_at_its_place() {
    let (_, problems) = read("a: [.inf, -.INF, .nan]\nb: !!float .inf\nc: !!float -.inf\nd: 1\nd: 2\n");
    let expected = [
        "x.yaml:5:1 the key `d` is given twice",
        "x.yaml:1:5 `.inf` is not a finite number",
        "x.yaml:1:11 `-.INF` is not a finite number",
        "x.yaml:1:18 `.nan` is not a finite number",
        "x.yaml:2:12 `.inf` is not a finite number",
        "x.yaml:3:12 `-.inf` is not a finite number",
    ];
    assert_eq!(problems, expected);
    assert_eq!(value("[1.7976931348623157e308, '.inf', !!str .nan]"), json!([f64::MAX, ".inf", ".nan"]));
}

#[test]
fn binary_data_is_refused_though_it_were_text() {
    let text =
        "a: !!binary aGVsbG8=\nb: [!<tag:yaml.org,2002:binary> aGk=, c]\nd: !!binary |\n  aGVs\n  bG8=\n";
    let (_, problems) = read(text);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.ends_with("binary data is no value of a suite")));
    assert!(problems[0].starts_with("x.yaml:1:") && problems[1].starts_with("x.yaml:2:"), "{problems:?}");
    assert_eq!(problem("a: !!binary '?'"), "x.yaml:1:13 binary data is no value of a suite");
    assert_eq!(problem("!!binary aGk=: 1"), "x.yaml:1:10 binary data is no key of a suite");
    assert_eq!(value("a: '!!binary aGVsbG8='\nbinary: aGVsbG8=\n")["binary"], "aGVsbG8=");
}

#[test]
fn anchors_and_merge_keys_work() {
    assert_eq!(value("base: &b { x: 1, y: 1 }\nc: { <<: *b, x: 2 }\n")["c"], json!({ "x": 2, "y": 1 }));
    let many: String = (0..2_000).map(|number| format!("k{number}: *b\n")).collect();
    assert_eq!(value(&format!("base: &b {{ x: 1 }}\n{many}"))["k1999"], json!({ "x": 1 }));
    assert_eq!(problem("a: &x [*x]"), "x.yaml:1:8 an alias is inside its own anchor");
    assert_eq!(problem("a: *nope"), "x.yaml:1:4 this alias has no anchor");
}

#[test]
fn every_duplicate_key_is_told_with_both_places() {
    let mut problems = Vec::new();
    parse_yaml("x.yaml", b"a: 1\nb: { c: 1, c: 2 }\na: 3\n".to_vec(), &mut problems);
    let places: Vec<String> =
        problems.iter().map(|problem| format!("{} {}", problem.place, problem.others[0].0)).collect();
    assert_eq!(places, ["x.yaml:3:1 x.yaml:1:1", "x.yaml:2:12 x.yaml:2:6"]);
}

#[test]
fn bytes_that_are_no_text_are_located() {
    assert_eq!(value("\u{feff}a: 1\r\nb: x\r\n"), json!({ "a": 1, "b": "x" }));
    assert_eq!(problem(b"a: 1\nb: \xff\n".to_vec()), "x.yaml:2:4 the file is no text: not UTF-8");
    assert_eq!(problem(b"a: 1\nb: \0\n".to_vec()), "x.yaml:2:4 the file is no text: a NUL byte");
    assert_eq!(problem(b"\xff\xfea\0".to_vec()), "x.yaml the file is UTF-16, not UTF-8");
    assert_eq!(problem(""), "x.yaml the file is empty");
    assert_eq!(problem("# nothing\n---\n"), "x.yaml the file is empty");
}

#[test]
fn what_a_document_cannot_be_is_located() {
    assert_eq!(problem("a: 1\n---\nb: 2\n"), "x.yaml:3:1 a second document begins here");
    assert_eq!(problem("a: !foo bar"), "x.yaml:1:9 unsupported tag `!foo`");
    assert_eq!(problem("a: !!binary /w=="), "x.yaml:1:13 binary data is no value of a suite");
    assert_eq!(problem("? [a]\n: b"), "x.yaml:1:3 a key must be text, found a list or a mapping");
    assert_eq!(problem("~: b"), "x.yaml:1:1 a key cannot be null");
    assert!(problem("a: [1, 2").starts_with("x.yaml:1:4 unclosed bracket"));
    assert!(problem("a: 'x").starts_with("x.yaml:1:4 unclosed quote"));
}

#[test]
fn bottomless_nesting_is_refused_before_it_is_entered() {
    let block: String = (0..300).map(|depth| format!("{}-\n", " ".repeat(depth))).collect();
    for text in
        ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000), block]
    {
        assert!(problem(text).ends_with("nest deeper than 128 levels"));
    }
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    assert!(value(&deep).is_array());
}

#[test]
fn alias_bombs_stop() {
    let levels = (b'b'..=b'k').map(char::from).zip((b'a'..).map(char::from));
    let bomb: String = levels
        .map(|(name, below)| format!("{name}: &{name} [{}]\n", vec![format!("*{below}"); 10].join(", ")))
        .collect();
    let text = problem(format!("a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n{bomb}"));
    assert!(text.ends_with("the aliases expand to too many values"), "{text}");
}

#[test]
fn aliases_and_merge_keys_of_a_short_file_take_no_more_than_a_long_file() {
    let keys: String = (0..2_000).map(|key| format!("k{key}: 1, ")).collect();
    let merged = format!("a: &a {{ {keys} }}\nb:\n{}", "  - <<: *a\n".repeat(3_000));
    let listed = format!("a: &a {{ {keys} }}\nb: {{ <<: [{}] }}\n", "*a, ".repeat(5_000));
    let texts = format!("a: &a {}\nb:\n{}", "x".repeat(30_000), "  - *a\n".repeat(4_000));
    for bomb in [merged, listed, texts] {
        assert!(bomb.len() < 64 << 10, "{}", bomb.len());
        let text = problem(bomb);
        assert!(text.ends_with("the aliases expand to too many values"), "{text}");
    }
    let modest = format!("a: &a {}\nb:\n{}", "x".repeat(3_000), "  - *a\n".repeat(1_000));
    assert_eq!(value(&modest)["b"][999], "x".repeat(3_000));
    let suite = format!("a: &a {{ x: 1, y: 2 }}\nb:\n{}", "  - { <<: *a, z: 3 }\n".repeat(30_000));
    assert_eq!(value(&suite)["b"][29_999], json!({ "x": 1, "y": 2, "z": 3 }));
}

#[test]
fn places_count_characters_and_point_at_the_written_value() {
    let mut problems = Vec::new();
    let document = parse_yaml("x", "é: { ü: 'ä', x: &q [1] }\ny: *q\n".as_bytes().to_vec(), &mut problems);
    let root = document.root.unwrap();
    let first = &root.as_map().unwrap()[0];
    let marks = |node: &Node| (node.mark.line, node.mark.column, node.mark.width);
    assert_eq!((first.mark.column, marks(first.value.get("ü").unwrap())), (1, (1, 9, 3)));
    assert_eq!(marks(root.get("y").unwrap()), (1, 20, 0), "the end of a list is looked for when it is shown");
    let underlined = |node: &Node| {
        let place = document.source.place(node.mark);
        place.excerpt.chars().skip(place.column as usize - 1).take(place.width as usize).collect::<String>()
    };
    assert_eq!(underlined(root.get("y").unwrap()), "[1]");
    assert_eq!(underlined(&first.value), "{ ü: 'ä', x: &q [1] }");
    assert_eq!(underlined(&root), "é", "a mapping in block style is shown as its first key");
}

#[test]
fn megabytes_load_with_work_that_grows_evenly() {
    let test = "  - { name: t, inputs: { query: \"What is {{ vars.shop }}?\", n: 12 }, assert: [{ path: $.a, equals: b }] }\n";
    let text = format!("version: 1\ntests:\n{}", test.repeat(10_000));
    let (root, problems) = read(text);
    assert_eq!((root["tests"].as_array().map(Vec::len), problems.len()), (Some(10_000), 0));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = read(bytes);
    }

    #[test]
    fn no_text_panics(text in "[-a&*:{}\\[\\]'\"!|>#,? \n\t<~0-9.é]{0,120}") {
        let (_, problems) = read(text.clone());
        let mut all = Vec::new();
        parse_yaml("x", text.into_bytes(), &mut all);
        let shown = crate::yaml::render::render(&all, crate::yaml::render::ProblemStyle::Plain);
        proptest::prop_assert_eq!(shown.is_empty(), problems.is_empty());
    }
}

fn json_of(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn only_spellings_of_yaml_1_2_are_numbers_booleans_and_null() {
    for (text, expected) in [
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        (".5", json!(0.5)),
        ("-.5", json!(-0.5)),
        ("1.", json!(1.0)),
        ("1E3", json!(1000.0)),
        ("+1.5", json!(1.5)),
        ("TRUE", json!(true)),
        ("NULL", json!(null)),
        ("~", json!(null)),
    ] {
        assert_eq!(value(&format!("[{text}]")), json!([expected]), "{text}");
    }
    let long = json_of("[295147905179352825855, 18446744073709551616, 18446744073709551616]");
    assert_eq!(value("[0xFFFFFFFFFFFFFFFFF, 0o2000000000000000000000, &a 0x10000000000000000]"), long);
    let text = json!(["0x10000000000000000", "0x10000000000000000", "0x1000000000000000g"]);
    assert_eq!(value("['0x10000000000000000', !!str 0x10000000000000000, 0x1000000000000000g]"), text);
    let tagged = "[1,!!str 0x10000000000000000,!<tag:yaml.org,2002:str> 0x10000000000000000]";
    assert_eq!(value(tagged), json!([1, "0x10000000000000000", "0x10000000000000000"]));
    assert_eq!(value("|\n  0x10000000000000000"), json!("0x10000000000000000\n"));
    let huge = format!("a: 0x{}", "f".repeat(10_001));
    assert!(problem(huge).contains("is too large to be kept exactly"));
    for text in [
        "0X1F",
        "0O17",
        "0b11",
        "-0x1F",
        "+0o7",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "NaN",
        "1e",
        "e5",
        "tRUE",
        "nULL",
        "y",
        "n",
        "Y",
        "N",
        "yes",
        "Yes",
        "no",
        "NO",
        "on",
        "off",
        "Off",
        "=",
        "12:30:45",
        "1__0",
        "0x_1",
        "0.1.2",
        "01.5",
        "-01.5",
        "00",
        "1_0.5",
        "1e1_0",
        "\u{661}\u{662}",
        "0o8",
        "0xG",
        "1d",
        "1f64",
        "None",
        "nil",
    ] {
        assert_eq!(value(&format!("- {text}\n")), json!([text]), "{text}");
    }
    for text in [".inf", "-.inf", "+.INF", ".nan", ".NaN"] {
        assert!(problem(format!("a: {text}")).contains("is not a finite number"), "{text}");
    }
}

#[test]
fn a_merge_key_stands_once_in_a_mapping() {
    let anchors = "a: &a { x: 1 }\nb: &b { x: 2, y: 3 }\n";
    for (text, expected) in [
        ("c: { <<: *a, y: 1 }", json!({ "x": 1, "y": 1 })),
        ("c: { <<: [*b, *a] }", json!({ "x": 2, "y": 3 })),
        ("c: { <<: *a, x: 3 }", json!({ "x": 3 })),
        ("c: { \"<<\": 1 }", json!({ "<<": 1 })),
        ("c: { <<: *a, '<<': 1 }", json!({ "<<": 1, "x": 1 })),
        ("c: { <<: { <<: *a, z: 1 } }", json!({ "x": 1, "z": 1 })),
        ("c:\n  <<: *a\n  d:\n    <<: *b", json!({ "d": { "x": 2, "y": 3 }, "x": 1 })),
    ] {
        assert_eq!(value(&format!("{anchors}{text}\n"))["c"], expected, "{text}");
    }
    for (text, place) in [
        ("c: { <<: *a, <<: *b }", "3:14"),
        ("c:\n  <<: *a\n  <<: *b", "5:3"),
        ("c: [{ d: { <<: *a, e: 1, <<: *b } }]", "3:26"),
        ("c: { \"<<\": 1, '<<': 2 }", "3:15"),
    ] {
        let found = problem(format!("{anchors}{text}\n"));
        assert_eq!(found, format!("x.yaml:{place} the key `<<` is given twice"), "{text}");
    }
}
