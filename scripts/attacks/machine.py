"""The machine around a run: streams, signals, limits, neighbours, clients of the mock."""

import collections
import html.parser
import os
import resource
import signal
import socket
import ssl
import subprocess
import time

from .attack import Attack
from .bench import Project, demand, tests
from .endpoint import Endpoint

TESTS = 40


class Live:
    """A project with a live target whose answers take some milliseconds."""

    def __init__(self, program, seconds=0.02, tokens=0, head="", answer=None):
        self.endpoint = Endpoint(answer or (lambda inputs: ({"answer": "A" + inputs["id"]}, seconds)), tokens)
        self.project = Project(program)
        self.project.live(self.endpoint.url, "concurrency: 8\nretries: { count: 0 }", patience="20s")
        self.project.suite(tests(TESTS), head=head)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.project.__exit__()
        self.endpoint.close()

    def begin(self, *args, **more):
        child = self.project.start("run", *args, **more)
        self.until(child, TESTS // 3)
        return child

    def until(self, child, count):
        until = time.monotonic() + 20
        while self.endpoint.count() < count and child.poll() is None and time.monotonic() < until:
            time.sleep(0.001)

    def counts(self):
        return collections.Counter(inputs["id"] for inputs in self.endpoint.sent())

    def check_whole(self, ended):
        ended.check((0,))
        report = self.project.check_reports()
        demand(report["totals"]["passed"] == TESTS and report["run"]["complete"], f"{report['totals']}")


def signals(program, rng):
    for names in (["HUP"], ["TERM"], ["INT"], ["QUIT"], ["USR1"], ["ALRM"], ["PIPE"], ["WINCH"], ["INT", "INT"], ["TSTP", "CONT"]):
        yield " and ".join(names), lambda names=names: try_signals(program, names)


def try_signals(program, names):
    with Live(program) as live:
        child = live.begin("-q")
        for name in names:
            if child.poll() is None:
                os.killpg(child.pid, getattr(signal, "SIG" + name))
            time.sleep(0.15)
        ended = live.project.wait(child, 60)
        ended.check(killed=True)
        live.endpoint.settle()
        if names[0] in ("HUP", "TERM", "INT") and len(names) == 1:
            demand(ended.code in (129, 130, 143, 0), f"ends with {ended.code}")
            live.project.check_reports()
        before, finished = live.counts(), {result["name"].split("[")[1][:-1] for result in live.project.results()}
        live.check_whole(live.project.run("run", "-q", "--resume", "latest"))
        again = [test for test in finished if live.counts()[test] != before[test]]
        demand(not again, f"had finished, and were sent again: {again}")


def streams(program, rng):
    def closed(*numbers):
        return lambda: [os.close(number) for number in numbers]
    kinds = {"stdin closed": {"before": closed(0)}, "stdout closed": {"before": closed(1)}, "stderr closed": {"before": closed(2)},
             "all closed": {"before": closed(0, 1, 2)}, "stdout is full": {"stdout": "/dev/full"}, "stderr is full": {"stderr": "/dev/full"},
             "both are full": {"stdout": "/dev/full", "stderr": "/dev/full"}}
    for name, more in kinds.items():
        yield name, lambda more=more: try_stream(program, more)
    for name in ("a pipe that is broken", "a reader that pauses", "a reader of one line"):
        yield name, lambda name=name: try_pipe(program, name)


def try_stream(program, more):
    with Live(program) as live:
        opened = {name: open(value, "wb") for name, value in more.items() if isinstance(value, str)}
        ended = live.project.wait(live.project.start("run", **{**more, **opened}), 60)
        ended.check()
        demand(live.endpoint.count() == TESTS, f"{live.endpoint.count()} of {TESTS} were sent")
        report = live.project.check_reports()
        demand(report["totals"]["passed"] == TESTS, f"{report['totals']}")


def try_pipe(program, name):
    with Live(program) as live:
        reader, writer = os.pipe()
        child = live.project.start("run", stdout=writer, stderr=writer)
        os.close(writer)
        if name == "a reader of one line":
            os.read(reader, 10)
        if name == "a reader that pauses":
            time.sleep(3)
            while os.read(reader, 65_536):
                pass
        os.close(reader)
        live.project.wait(child, 60).check()
        demand(live.endpoint.count() == TESTS, f"{live.endpoint.count()} of {TESTS} were sent")
        demand(live.project.check_reports()["totals"]["passed"] == TESTS, "not all passed")


def limits(program, rng):
    for name, what, value in (("64 files", resource.RLIMIT_NOFILE, 64), ("24 files", resource.RLIMIT_NOFILE, 24), ("12 files", resource.RLIMIT_NOFILE, 12),
                              ("400 MB", resource.RLIMIT_AS, 400 << 20), ("150 MB", resource.RLIMIT_AS, 150 << 20), ("60 MB", resource.RLIMIT_AS, 60 << 20),
                              ("files of 100 KB", resource.RLIMIT_FSIZE, 100_000), ("files of 10 KB", resource.RLIMIT_FSIZE, 10_000), ("files of no bytes", resource.RLIMIT_FSIZE, 0)):
        yield name, lambda what=what, value=value: try_limit(program, what, value)


def try_limit(program, what, value):
    with Live(program) as live:
        ended = live.project.run("run", "-q", before=lambda: resource.setrlimit(what, (value, value)))
        demand("panicked" not in ended.text and not ended.hung, f"{ended.text[-300:]}")
        if ended.code == 0:
            live.check_whole(ended)
        live.endpoint.settle()
        before = {result["name"].split("[")[1][:-1]: 1 for result in live.project.results()}
        resumed = live.project.run("run", "-q", *(["--resume", "latest"] if before else []))
        live.check_whole(resumed)
        twice = {test: count for test, count in live.counts().items() if test in before and count > 1}
        demand(not twice, f"sent again: {twice}")


def losses(program, rng):
    for place in ("reports", "reports/runs", "reports/latest-run", "suites", "flowproof.yaml"):
        yield f"`{place}` is removed in mid-run", lambda place=place: try_loss(program, place)
    yield "the journal is cut in mid-run", lambda: try_loss(program, None)


def try_loss(program, place):
    with Live(program) as live:
        child = live.begin("-q")
        if place is None:
            journal = live.project.path / f"reports/runs/{live.project.latest()}/journal.jsonl"
            os.truncate(journal, journal.stat().st_size // 2)
        else:
            path = live.project.path / place
            path.rename(live.project.folder / "away")
        ended = live.project.wait(child, 60).check()
        if ended.code == 0:
            report = live.project.report()
            demand(report is None or report["totals"]["passed"] == TESTS, f"green with {report and report['totals']}")
            demand(place is not None, "green though its journal was cut")


def neighbours(program, rng):
    yield "two runs at once", lambda: try_two(program, ["run", "-q"], ["run", "-q"])
    yield "two that record at once", lambda: try_recorders(program)
    yield "two resumes at once", lambda: try_resumes(program)
    yield "a resume of a run that goes on", lambda: try_live_resume(program)
    yield "four processes with one budget, one killed", lambda: try_ledger(program, rng)


def try_two(program, one, other):
    with Live(program) as live:
        children = [live.project.start(*args) for args in (one, other)]
        for child in children:
            live.project.wait(child, 60).check((0,))
        demand(live.endpoint.count() == 2 * TESTS, f"{live.endpoint.count()} were sent")
        demand(len(list((live.project.path / "reports/runs").iterdir())) == 2, "not two runs")
        live.check_whole(live.project.run("report", "latest", "--gate"))


def try_recorders(program):
    with Live(program) as live:
        children = [live.project.start("run", "-q", "--record", "new_episodes", "--shard", f"{shard}/2") for shard in (1, 2)]
        for child in children:
            live.project.wait(child, 60).check((0,))
        recorded = len((live.project.path / "suites/cassettes/s.jsonl").read_text().splitlines()) - 1
        demand(recorded == TESTS == live.endpoint.count(), f"{recorded} of {TESTS} are recorded, {live.endpoint.count()} were sent")
        live.project.run("run", "-q", "--replay").check((0,))
        demand(live.endpoint.count() == TESTS, "a replay sends something")


def try_resumes(program):
    with Live(program) as live:
        child = live.begin("-q")
        os.killpg(child.pid, signal.SIGKILL)
        live.project.wait(child)
        live.endpoint.settle()
        children = [live.project.start("run", "-q", "--resume", "latest") for _ in range(2)]
        ended = [live.project.wait(child, 60).check() for child in children]
        demand(0 in [one.code for one in ended], f"{[one.code for one in ended]}")
        twice = {test: count for test, count in live.counts().items() if count > 1}
        demand(not twice, f"sent twice: {twice}")
        live.check_whole(live.project.run("report", "latest", "--gate"))


def try_live_resume(program):
    with Live(program) as live:
        child = live.begin("-q")
        resumed = live.project.run("run", "-q", "--resume", "latest").check()
        ended = live.project.wait(child, 60)
        demand(resumed.code != 0 or ended.code is not None, "both went on")
        demand(max(live.counts().values()) == 1, "sent twice")
        live.check_whole(ended)


def try_ledger(program, rng):
    with Live(program, tokens=100, head="usage: trust\nbudget: { per_test: { tokens: 150 } }\n") as live:
        budget, more = 6_000, {"FLOWPROOF_LEDGER": str(live.project.path / "ledger")}
        start = lambda shard: live.project.start("run", "-q", "--budget-tokens", budget, "--shard", f"{shard}/2", more=more)
        children = [start(shard) for shard in (1, 2, 1, 2)]
        live.until(children[0], 10 + rng.randrange(20))
        os.killpg(children[0].pid, signal.SIGKILL)
        for child in children:
            live.project.wait(child, 60).check((0, 98, -9), killed=True)
        used = 100 * live.endpoint.count()
        demand(used <= budget, f"{used} tokens of {budget} were used")


def clients(program, rng):
    rubbish = {"no HTTP": b"\x16\x03\x01rubbish\r\n\r\n", "10,000 headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
               "a huge length": b"POST /v1/workflows/run HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n{}",
               "a negative length": b"POST /v1/workflows/run HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
               "half a request": b"POST /v1/workflows/run HTT", "a long path": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
               "deep JSON": request(b"[" * 100_000), "no JSON": request(b"\xff\xfe"), "JSON of 10 MB": request(b'{"inputs":{"id":"' + b"x" * 10_000_000 + b'"}}'),
               "a form without an end": request(b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n" + b"x" * 100_000, b"multipart/form-data; boundary=x", b"/v1/files/upload")}
    for name, data in rubbish.items():
        yield name, lambda data=data: try_client(program, data, 1)
    yield "300 connections that say half", lambda: try_client(program, b"GET /v1/parameters HTT", 300)


def request(body, kind=b"application/json", path=b"/v1/workflows/run"):
    return (b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer app-x\r\nContent-Type: " + kind
            + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def try_client(program, data, times):
    with Project(program) as project:
        project.write("flowproof.yaml", "version: 1\n")
        project.write("suites/s.yaml", "version: 1\nname: s\ntests:\n  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, equals: A1 }]\n"
                      "    mock: { outputs: { answer: A1 } }\n")
        child = project.start("mock")
        until, address = time.monotonic() + 10, None
        while address is None and time.monotonic() < until:
            words = child.log.read_text().split()
            address = next((word for word in words if word.startswith("http://127.0.0.1:")), None)
            time.sleep(0.02)
        demand(address is not None, f"the mock does not start: {child.log.read_text()}")
        host, port = address.split("/")[2].split(":")
        open_ = []
        for _ in range(times):
            one = socket.create_connection((host, int(port)), timeout=5)
            open_.append(one)
            try:
                one.sendall(data)
            except OSError:
                pass
        other = socket.create_connection((host, int(port)), timeout=10)
        other.sendall(request(b'{"inputs":{"id":"1"},"response_mode":"blocking","user":"u"}'))
        answered = other.recv(4_096)
        demand(b" 200 " in answered.split(b"\r\n")[0], f"others get {answered[:100]!r}")
        for one in [*open_, other]:
            one.close()
        demand(child.poll() is None, "the mock has ended")
        demand("panicked" not in child.log.read_text(), "the mock panics")


def addresses(program, rng):
    yield "addresses in outputs, headers and file objects", lambda: try_addresses(program)


def try_addresses(program):
    other = Endpoint(lambda inputs: ({}, 0))
    url = other.url
    outputs = {"answer": f"A1 {url} ![x]({url}/i.png) <img src={url}>", "file": {"dify_model_identity": "__dify__file__", "url": f"{url}/f", "remote_url": f"{url}/r"}}
    with Live(program, answer=lambda inputs: (outputs, 0)) as live:
        live.project.run("run", "-q", "--record", "new_episodes").check((100,))
        loads = Loads(url)
        loads.feed(live.project.report("report.html"))
        demand(not loads.found, f"report.html loads {loads.found}")
        demand(other.count() == 0 and not other.other, f"the other server gets {other.other}")
    other.close()


class Loads(html.parser.HTMLParser):
    """Notes what a page would load from an address."""

    def __init__(self, url):
        super().__init__()
        self.url, self.found = url, []

    def handle_starttag(self, tag, attributes):
        if tag != "a" and any(self.url in (value or "") for _, value in attributes):
            self.found.append(tag)


def certificates(program, rng):
    if subprocess.run(["openssl", "version"], capture_output=True).returncode:
        return
    for name in ("an unknown authority", "another host", "plain HTTP"):
        yield name, lambda name=name: try_certificate(program, name)


def try_certificate(program, name):
    endpoint = Endpoint(lambda inputs: ({"answer": "A1"}, 0))
    with Project(program) as project:
        authority, key, certificate = make_certificate(project.folder, "DNS:elsewhere.example" if name == "another host" else "IP:127.0.0.1")
        if name != "plain HTTP":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            endpoint.server.socket = context.wrap_socket(endpoint.server.socket, server_side=True)
        address = endpoint.url.replace("http:", "https:")
        trusted = f"\nca_file: {authority}" if name == "another host" else ""
        project.live(address, "retries: { count: 0 }\ntimeouts: { connect: 3s, first_event: 3s }" + trusted)
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, equals: A1 }]\n")
        project.run("run", "-q").check((3, 100))
        demand(endpoint.count() == 0, "the key was sent")
        if name == "an unknown authority":
            project.live(address, f"retries: {{ count: 0 }}\nca_file: {authority}")
            project.run("run", "-q").check((0,))
    endpoint.close()


def make_certificate(folder, subject):
    """An authority, and a certificate of its making."""
    authority, authority_key, key, wish, certificate, names = (folder / name for name in ("ca.pem", "ca.key", "key.pem", "wish", "certificate.pem", "names"))
    names.write_text(f"subjectAltName={subject}\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", authority_key, "-out", authority, "-days", "2", "-subj", "/CN=authority")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", wish, "-subj", "/CN=server")
    openssl("x509", "-req", "-in", wish, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", names)
    return authority, key, certificate


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=30)


ATTACKS = [
    Attack("signals, then a resume", "HUP, TERM, INT, QUIT, USR1, ALRM, PIPE, WINCH, TSTP and CONT, two INT: nothing that had finished is sent again", signals),
    Attack("output streams", "closed, full, a pipe that breaks, a reader that pauses: the run goes on to its end", streams),
    Attack("limits of the system", "open files, memory, sizes of files: a plain error, and the next run is whole", limits),
    Attack("lost folders", "reports, suites or the project file removed, the journal cut by somebody else, in mid-run: no green without all results", losses),
    Attack("neighbours", "two runs, two that record, two that resume, a budget of four processes with a kill", neighbours),
    Attack("clients that misbehave at `flowproof mock`", "rubbish, floods, lengths, half requests: others are answered all the time", clients),
    Attack("addresses in answers", "in outputs, Markdown and file objects: the other server gets no request", addresses),
    Attack("certificates", "an unknown authority, another host, plain HTTP: the key is never sent; it is with `ca_file`", certificates),
]
