"""A project in a folder of its own, and the program in it, always under bounds of time and memory."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree

KEY = "app-KEY-0123456789abcdef"
GB = 1 << 30


class Fallen(Exception):
    """What did not stand, in a sentence."""


def demand(holds, what):
    if not holds:
        raise Fallen(what)


class Ended:
    """How the program ended."""

    def __init__(self, code, text, seconds, megabytes, hung):
        self.code, self.text, self.seconds, self.megabytes, self.hung = code, text, seconds, megabytes, hung

    def check(self, codes=None, killed=False):
        """No panic, no hang, an exit code that there is."""
        demand(not self.hung, f"hangs: {self.text[-200:]}")
        demand("panicked at" not in self.text and "internal error" not in self.text, f"panics: {self.text[-300:]}")
        demand("overflowed its stack" not in self.text, "overflows its stack")
        demand(killed or self.code >= 0, f"ends by signal {-self.code}: {self.text[-200:]}")
        demand(self.code != 101 and self.code < 134, f"ends with {self.code}")
        demand(codes is None or self.code in codes, f"ends with {self.code}, not {codes}: {self.text[-300:]}")
        return self


class Project:
    """A folder with a project file and suites. Use it with `with`: it is removed, and what still runs in it is killed."""

    def __init__(self, program, base=None):
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flowproof-attack-", dir=base))
        self.home = self.folder / "home"
        self.home.mkdir()
        self.path = self.folder / "project"
        self.path.mkdir()
        self.at_work, self.logs = [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.at_work:
            end_group(child)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def live(self, url, keys="", top="", patience="3s"):
        keys = "".join(f"    {line}\n" for line in keys.splitlines())
        self.write("flowproof.yaml", f"version: 1\ntargets:\n  live:\n    base_url: \"{url}\"\n    api_key: \"{KEY}\"\n"
                   f"    recovery: {{ deadline: {patience}, poll: 20ms }}\n{keys}profiles: {{ default: {{ target: live }} }}\n{top}")

    def suite(self, tests, head="", name="s"):
        self.write(f"suites/{name}.yaml", f"version: 1\nname: {name}\n{head}tests:\n{tests}")

    def start(self, *args, more=None, memory=3 * GB, before=None, stdout=None, stderr=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if before:
                before()
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        environment.update(NO_COLOR="1", LC_ALL="C.UTF-8", COLUMNS="200", HOME=str(self.home), RUST_BACKTRACE="0", **(more or {}))
        self.logs += 1
        log = self.folder / f"log-{self.logs}"
        out = open(log, "wb")
        child = subprocess.Popen([self.program, *map(str, args)], cwd=self.path, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=out if stdout is None else stdout, stderr=out if stderr is None else stderr,
                                 start_new_session=True, preexec_fn=limit)
        out.close()
        child.log, child.began = log, time.monotonic()
        self.at_work.append(child)
        return child

    def wait(self, child, seconds=60):
        until, hung = time.monotonic() + seconds, False
        while True:
            if child.returncode is not None:
                status, use = None, resource.getrusage(resource.RUSAGE_CHILDREN)
                break
            pid, status, use = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until and not hung:
                hung = True
                end_group(child)
            time.sleep(0.002)
        if status is not None:
            child.returncode = os.waitstatus_to_exitcode(status)
        self.at_work.remove(child)
        text = child.log.read_bytes().decode("utf-8", "replace")
        return Ended(child.returncode, text, time.monotonic() - child.began, use.ru_maxrss // 1024, hung)

    def run(self, *args, seconds=60, **more):
        return self.wait(self.start(*args, **more), seconds)

    def journal(self, run=None):
        """The whole lines of a run's journal."""
        name = run or self.latest()
        path = self.path / f"reports/runs/{name}/journal.jsonl"
        if not name or not path.is_file():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line]

    def latest(self):
        path = self.path / "reports/latest-run"
        return path.read_text().strip() if path.is_file() else None

    def results(self, run=None):
        """The results of tests that were run, as the journal has them."""
        ended = (line["case_finished"] for line in self.journal(run) if "case_finished" in line)
        return [result for result in ended if result["verdict"] != "skipped"]

    def report(self, name="report.json"):
        path = self.path / "reports/latest" / name
        if not path.is_file():
            return None
        return json.loads(path.read_text()) if name.endswith(".json") else path.read_text()

    def check_reports(self):
        """Every document is whole."""
        report, junit = self.report(), self.report("junit.xml")
        demand(report is not None and junit is not None, "reports are missing")
        root = xml.etree.ElementTree.fromstring(junit)
        demand(len(root.findall(".//testcase")) >= len(report["cases"]), "junit.xml has fewer tests than report.json")
        return report

    def strays(self):
        """Files that a killed process left."""
        kinds = re.compile(r"^\.flowproof-|\.tmp$|\.part$")
        return [str(path.relative_to(self.path)) for path in self.path.rglob("*") if kinds.search(path.name)]

    def found(self, word, text=""):
        """Where a word is: on the terminal, and in files other than those that an attack wrote."""
        places = ["the terminal"] if word in text else []
        for path in self.path.rglob("*"):
            inside = path.relative_to(self.path)
            own = inside.parts[0] == "flowproof.yaml" or (inside.parts[0] == "suites" and path.suffix in (".yaml", ".csv"))
            if path.is_file() and not path.is_symlink() and not own and word.encode() in path.read_bytes():
                places.append(str(inside))
        return places


def end_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except OSError:
        pass


def tests(count, more="", value="A{{ row.id }}"):
    """One test with rows, each of which is answered by A and its id."""
    rows = ", ".join(f"{{ id: \"{number}\" }}" for number in range(count))
    return (f"  - name: t\n    each: [{rows}]\n    inputs: {{ id: \"{{{{ row.id }}}}\" }}\n{more}"
            f"    assert: [{{ path: $.answer, equals: \"{value}\" }}]\n")
