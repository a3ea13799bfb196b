"""Suites that ask for much work or memory."""

import json

from .attack import Attack
from .bench import GB, Project, demand

DEEP = 3_000


def test(assertion="{ path: $.answer, equals: A1 }", inputs='{ id: "1" }', more="", answer="A1"):
    return (f"version: 1\nname: s\ntests:\n  - name: t\n    inputs: {inputs}\n{more}    assert: [{assertion}]\n"
            f"    mock: {{ outputs: {{ answer: {json.dumps(answer)} }} }}\n")


def bomb(levels=12):
    lines = ["x-a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "version: 1\n" + "\n".join(lines) + "\n" + test(inputs=f"{{ id: *a{levels - 1} }}").split("\n", 1)[1]


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def doubling(levels):
    definitions = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)}
    return json.dumps({"$ref": "#/$defs/d0", "$defs": dict(definitions, **{f"d{levels}": {"type": "integer", "minimum": 1}})})


SUITES = {
    "a bomb of aliases": bomb(), "a bomb of merge keys": "version: 1\n" + "".join(
        f"x-m{n}: &m{n} {{ {'<<: [' + ', '.join([f'*m{n - 1}'] * 9) + '], ' if n else ''}k{n}: 1 }}\n" for n in range(12)) + test().split("\n", 1)[1],
    "an alias of itself": "version: 1\nx-a: &a [*a]\n" + test().split("\n", 1)[1],
    "deep lists": test(inputs="{ id: " + "[" * DEEP + "]" * DEEP + " }"), "deep mappings": test(inputs="{ id: " + "{a: " * DEEP + "1" + "}" * DEEP + " }"),
    "deep blocks": "version: 1\n" + "".join(" " * n + "- \n" for n in range(2_000)), "a tag for each node": test(inputs="{ id: " + "!!str " * 5_000 + "x }"),
    "a text of 20 MB": test(inputs='{ id: "' + "x" * 20_000_000 + '" }'), "20,000 keys": test(inputs="{ " + ", ".join(f"k{n}: 1" for n in range(20_000)) + " }"),
    "a matrix of 10^9": test(more="    matrix: { " + ", ".join(f"k{n}: [{', '.join(map(str, range(10)))}]" for n in range(9)) + " }\n"),
    "a list of matrices": "version: 1\nname: s\ntests:\n" + "".join(
        f"  - name: t{n}\n    matrix: {{ a: [{', '.join(map(str, range(300)))}], b: [{', '.join(map(str, range(300)))}] }}\n    inputs: {{ id: x }}\n"
        "    assert: [{ path: $.answer, equals: A1 }]\n" for n in range(40)),
    "10^9 repeats": test(more="    repeat: 1000000000\n"),
    "templates that multiply": test(inputs='{ id: "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{{ a }}{% endfor %}{% endfor %}{% endfor %}" }'),
    "a text that doubles": test(inputs='{ id: "{% set x = \'x\' * 1000000 %}{{ x * 1000000 }}" }'), "tildes": test(inputs='{ id: "{{ ' + " ~ ".join(["1"] * 3_000) + ' }}" }'),
    "signs": test(inputs='{ id: "{{ ' + "-" * 5_000 + '1 }}" }'), "attributes": test(inputs='{ id: "{{ vars' + ".a" * 5_000 + ' }}" }'),
    "brackets in a template": test(inputs='{ id: "{{ ' + "(" * 5_000 + "1" + ")" * 5_000 + ' }}" }'), "a power": test(inputs='{ id: "{{ 9 ** 9 ** 9 ** 9 }}" }'),
    "a recursive macro": test(inputs='{ id: "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}" }'),
    "descendants of descendants": test("{ path: '$" + "..*" * 12 + "', equals: A1, match: any }", answer=nested(60)),
    "filters in filters": test("{ path: '$" + "[?@" * 12 + "]" * 12 + "', equals: A1 }"), "a path of 1 MB": test("{ path: '$." + "a" * 1_000_000 + "', equals: A1 }"),
    "an unfinished escape": test("{ path: \"$['\\\\u\", equals: A1 }"), "many lists of a path": test("{ path: '$" + "[*,*,*,*,*,*,*,*]" * 12 + "', equals: A1, match: any }", answer=nested(60)),
    "a pattern that backtracks": test("{ path: $.answer, regex: '(a|a|aa|a?)*b$' }", answer="a" * 50_000),
    "a pattern that grows": test("{ path: $.answer, regex: '((a{1,100}){1,100}){1,100}' }"), "a pattern of 200 KB": test("{ path: $.answer, regex: '" + "a?" * 100_000 + "' }"),
    "a schema that doubles": test("{ path: $.answer, schema: " + doubling(40) + " }", answer=0), "a schema of itself": test('{ path: $.answer, schema: { "$ref": "#" } }'),
    "a deep schema": test("{ path: $.answer, schema: " + '{ "items": ' * 1_000 + '{ "type": "string" }' + " }" * 1_000 + " }", answer=nested(500)),
    "a pattern in a schema": test('{ path: $.answer, schema: { type: string, pattern: "^(a+)+$" } }', answer="a" * 40_000 + "b"),
    "a likeness of long texts": test('{ path: $.answer, similar: { to: "' + "word other " * 20_000 + '", min: 0.9 } }', answer="other word " * 20_000),
    "a difference of long texts": test('{ path: $.answer, equals: "' + "a\\nb\\n" * 20_000 + '" }', answer="b\na\n" * 20_000),
    "a number of a million digits": test(inputs="{ id: " + "9" * 1_000_000 + " }"), "a file of zeros": b"\0" * 5_000_000, "no UTF-8": b"\xff\xfe\xff" * 1_000,
    "colons": ":" * 200_000, "quotes": '"' * 200_000, "dashes": "- " * 100_000, "question marks": "? " * 50_000, "anchors": "".join(f"- &a{n} x\n" for n in range(100_000)),
}


def heavy(program, rng):
    for name, text in SUITES.items():
        yield name, lambda text=text: try_suite(program, text)


def try_suite(program, text):
    with Project(program) as project:
        project.write("suites/s.yaml", text)
        ended = project.run("run", "-q", "--timeout", "20s", seconds=90, memory=4 * GB)
        ended.check()
        demand(ended.megabytes < 2_000, f"takes {ended.megabytes} MB")


ATTACKS = [Attack("suites that ask for much work or memory", "bombs of YAML, nesting, rows, templates, paths, patterns, schemas, likeness: an end in time "
                  "and less than 2 GB", heavy)]
