"""Links, pipes and devices among the files, and paths out of the folder."""

import os
import pathlib

from .attack import Attack
from .bench import Project, demand, tests
from .endpoint import Endpoint

SECRET = "content-of-a-file-elsewhere"
ONE = "  - name: t\n    inputs: {{ id: \"1\" }}\n{more}    assert: [{{ path: $.answer, equals: A1 }}]\n    mock: {{ outputs: {{ answer: A1 }} }}\n"
PLACES = ["flowproof.yaml", "suites/s.yaml", "suites/rows.csv", "suites/upload.txt", "suites/schema.json", "suites/cassettes/s.jsonl",
          "suites/snapshots/s/t.json", "suites/snapshots/s/t.json.new", "reports/latest", "reports/latest-run", "reports/runs", "suites/cassettes",
          "suites/snapshots", ".env"]
KINDS = ["a link to a file elsewhere", "a link to a folder elsewhere", "a link to nothing", "a pipe", "a device", "a folder"]


def odd_files(program, rng):
    for place in PLACES:
        for kind in KINDS:
            yield f"{place} is {kind}", lambda place=place, kind=kind: try_file(program, place, kind)


def try_file(program, place, kind):
    endpoint = Endpoint(lambda inputs: ({"answer": "A1"}, 0))
    with Project(program) as project:
        elsewhere = project.folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "file").write_text(SECRET)
        project.live(endpoint.url, top="env_file: .env\n")
        project.write(".env", "A=b\n")
        project.write("suites/rows.csv", "id\n1\n")
        project.write("suites/upload.txt", "text")
        project.write("suites/schema.json", '{"type":"string","minLength":1}')
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    files: { doc: { path: upload.txt, type: document } }\n"
                      "    assert: [{ path: $.answer, equals: A1 }, { path: $.answer, schema: schema.json }, { path: $.answer, snapshot: true }]\n"
                      "  - name: r\n    each: rows.csv\n    inputs: { id: \"{{ row.id }}\" }\n    assert: [{ path: $.answer, equals: A1 }]\n")
        put(project.path / place, kind, elsewhere)
        text = ""
        for command in (["run", "--record", "new_episodes"], ["run"], ["snapshot", "accept", "--all"], ["report", "latest"], ["run", "--replay"]):
            ended = project.run(*command, seconds=30)
            ended.check()
            demand(ended.megabytes < 1_000, f"takes {ended.megabytes} MB")
            text += ended.text
        left = {path.name: path.read_text() for path in elsewhere.rglob("*") if path.is_file()}
        demand(left == {"file": SECRET}, f"elsewhere is now {left}")
        demand(SECRET not in text, "shows a file that lies elsewhere")
        for path in (project.path / "reports").rglob("*"):
            demand(not path.is_file() or path.is_symlink() or SECRET.encode() not in path.read_bytes(), f"{path.name} holds a file that lies elsewhere")
    endpoint.close()


def put(path, kind, elsewhere):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rename(path.with_name(path.name + "-away"))
    elif path.exists():
        path.unlink()
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a folder":
        path.mkdir()
        (path / "own").write_text("own")
    else:
        path.symlink_to({"a link to a file elsewhere": elsewhere / "file", "a link to a folder elsewhere": elsewhere}.get(kind, elsewhere / "nothing"))


PATHS = ["/etc/passwd", "../outside.txt", "a/../../outside.txt", "./../outside.txt", "link.txt", "linked/outside.txt", "file:///etc/passwd",
         "http://127.0.0.1:9/x", "/dev/zero", "/proc/self/environ", "..", "."]
USES = {
    "files": "    files: {{ doc: {{ path: \"{path}\", type: document }} }}\n", "each": "    each: \"{path}\"\n",
    "schema": "    x-none: 1\n", "$ref": "    x-none: 1\n",
}


def paths_out(program, rng):
    for use in ("files", "each", "schema", "$ref"):
        for path in PATHS:
            if not (use == "files" and path.startswith(("http", "file"))):
                yield f"{use}: {path}", lambda use=use, path=path: try_path(program, use, path)


def try_path(program, use, path):
    with Project(program) as project:
        (project.folder / "outside.txt").write_text(SECRET)
        (project.path / "outside.txt").write_text(SECRET)
        project.write("suites/own.txt", "own")
        (project.path / "suites/link.txt").symlink_to(project.path / "outside.txt")
        (project.path / "suites/linked").symlink_to(project.path)
        schema = {"schema": f"\"{path}\"", "$ref": f"{{ $ref: \"{path}\" }}"}.get(use)
        check = f"    assert: [{{ path: $.answer, schema: {schema} }}]\n" if schema else "    assert: [{ path: $.answer, equals: A1 }]\n"
        uses = USES[use].format(path=path) if use in ("files", "each") else ""
        project.suite(f"  - name: t\n    inputs: {{ id: \"1\" }}\n{uses}{check}    mock: {{ outputs: {{ answer: A1 }} }}\n")
        ended = project.run("run", seconds=30).check((2, 3, 4, 100))
        demand(SECRET not in ended.text and "root:" not in ended.text, "shows what lies outside")


ATTACKS = [
    Attack("links, pipes and devices among the files", f"{len(PLACES)} places times {len(KINDS)} kinds; what lies elsewhere is neither changed nor shown", odd_files),
    Attack("paths out of the folder", "absolute, by `..`, by links, as addresses, in `files`, `each`, `schema` and `$ref`: never green", paths_out),
]
