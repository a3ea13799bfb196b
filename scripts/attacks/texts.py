"""Texts of workflows that are markup or commands, in each field that reaches a person or a build server."""

import csv
import io
import json
import re

from .attack import Attack
from .bench import Project, demand
from .endpoint import Endpoint, chunk, event, finished, node, sse, started, stream_head

TEXTS = {
    "ANSI": "\x1b[31mred\x1b[0m", "OSC": "\x1b]0;title\x07", "C1": "\x9b31m", "a carriage return": "good\rbad", "bells": "\x07\x08\x7f",
    "GitHub": "\n::error::PWNED\n  ::set-output name=x::PWNED\n##[group]PWNED", "GitHub after an event": "x\r\n::add-mask::PWNED",
    "GitLab": "section_start:1:PWNED\r\x1b[0K", "Azure": "##vso[task.setvariable variable=x]PWNED", "TeamCity": "##teamcity[buildStop comment='PWNED']",
    "Buildkite": "\n--- PWNED\n+++ PWNED", "Markdown": "[x](javascript:PWNED) ![x](http://127.0.0.1:9/PWNED) | a | b |\n# h", "HTML": "<script>PWNED</script></pre><img src=x onerror=PWNED>",
    "SVG": "<svg onload=PWNED>", "XML": "]]></failure><testcase name='PWNED'/>&amp;&#0;<!--", "a formula": "=HYPERLINK(\"http://x\",\"PWNED\")",
    "TAP": "\nok 99 - PWNED\nBail out! PWNED", "bidi": "a\u202egnp.exe\u2066", "zero width": "a\u200bb\ufeffc\u2060", "shell": "$(touch PWNED)`touch PWNED`'; touch PWNED;'",
    "YAML": "\n- name: PWNED\n  x: &a [*a]", "NUL": "a\0b", "a path": "../../../PWNED", "a template": "{{ env.HOME }}{% PWNED %}", "half a surrogate": "\ud800x",
    "separators": "a\u2028b\u2029c\x85d", "very long": "x" * 60_000, "many lines": "line\n" * 5_000,
}
FIELDS = ["outputs", "node", "error", "error event", "refusal", "page"]


def all_texts(program, rng):
    for name, text in TEXTS.items():
        for field in FIELDS:
            yield f"{name} as {field}", lambda text=text, field=field: try_text(program, text, field)


def try_text(program, text, field):
    endpoint = Endpoint(lambda inputs: ({}, 0), raw=lambda inputs, http: answer(text, field, http))
    with Project(program) as project:
        project.live(endpoint.url, "retries: { count: 0 }\ntimeouts: { first_event: 3s, idle: 3s }",
                     "reports: { formats: [junit, json, html, markdown, tap, csv] }\n")
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, equals: A1 }]\n")
        project.write("summary.md", "")
        ended = project.run("run", more={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(project.path / "summary.md")})
        ended.check((3, 100))
        check_terminal(ended.text)
        check_documents(project)
        demand(not [path for path in project.folder.rglob("PWNED*")], "a file PWNED is there")
    endpoint.close()


def answer(text, field, http):
    run = type("Known", (), {"id": "r", "task": "t", "inputs": {}, "user": "u", "began": 1})
    http.close_connection = True
    if field == "page":
        data = text.encode("utf-8", "surrogatepass")
        http.wfile.write(b"HTTP/1.1 502 No\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        return True
    if field == "refusal":
        data = json.dumps({"code": text[:200], "message": text, "status": 400}).encode()
        http.wfile.write(b"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        return True
    events = [started(run)]
    if field == "node":
        step = node(run, {"x": text})
        for one in step:
            one["data"].update(title=text[:500], node_id="n" + text[:50])
        events += step
    if field == "error event":
        events.append(dict(event(run, "error", {}), status=400, code="x", message=text))
    elif field == "error":
        events.append(finished(run, {}, "failed", error=text))
    else:
        events.append(finished(run, {"answer": text, text[:100]: text[:100]} if field == "outputs" else {"answer": "other"}))
    http.wfile.write(stream_head() + b"".join(chunk(sse(one)) for one in events) + b"0\r\n\r\n")
    return True


def check_terminal(text):
    """Nothing that a terminal or a build server obeys, but flowproof's own annotations."""
    control = [character for character in text if (ord(character) < 32 and character not in "\n\t") or 0x7F <= ord(character) < 0xA0]
    demand(not control, f"the terminal gets {control[:3]!r}")
    unseen = [character for character in text if character in "\u202e\u2066\u200b\ufeff\u2060\u2028\u2029"]
    demand(not unseen, f"the terminal gets {unseen[:3]!r}")
    for line in text.splitlines():
        own = re.match(r"::(error|warning|notice|group|endgroup)\b[^:]*(file=|title=)?", line)
        command = re.match(r"\s*::[a-zA-Z]", line) and not (own and not line.lstrip().startswith("::error::PWNED"))
        demand(not command, f"a command of GitHub: {line[:100]!r}")
        demand(not re.search(r"##(\[|vso\[|teamcity\[)|section_(start|end):\d", line), f"a command: {line[:100]!r}")
        demand(not re.match(r"(---|\+\+\+|~~~) PWNED", line), f"a heading of Buildkite: {line[:100]!r}")


def check_documents(project):
    """Each document is read by a parser of its kind, and has the one test."""
    report = project.check_reports()
    demand(len(report["cases"]) == 1, "report.json has other tests")
    demand(project.report("junit.xml").count("<testcase ") == 1, "junit.xml has other tests")
    rows = list(csv.reader(io.StringIO((project.path / "reports/latest/report.csv").read_text(encoding="utf-8-sig"), newline="")))
    demand(len(rows) == 2 and len(rows[0]) == len(rows[1]), f"report.csv has {len(rows)} rows")
    demand(not any(re.match(r"[=@\t\r]|\+[A-Z]", cell) for cell in rows[1]), "a formula in report.csv")
    points = re.findall(r"(?m)^(?:not )?ok \d+", project.report("report.tap"))
    demand(len(points) == 1, f"report.tap has {len(points)} points")
    html = project.report("report.html")
    demand("<script>PWNED" not in html and "<svg onload" not in html and "<img src=x" not in html, "report.html holds markup")


ATTACKS = [Attack("text of workflows that is markup or a command", f"{len(FIELDS)} fields times {len(TEXTS)} texts in GitHub mode; the terminal "
                  "and each report are read by a parser of its kind", all_texts)]
