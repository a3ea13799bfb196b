"""Runs that are killed by SIGKILL at seeded moments: nothing is lost, and nothing is sent twice.

The endpoint knows every run that it was sent, as Dify does, and finishes it though its client is gone. So what was at work when a
run was killed is found by `--resume` and judged, and each repeat of each test is sent exactly once, however often it is killed."""

import collections
import json
import time

from .bench import Project, demand, end_group, tests
from .endpoint import Endpoint

TESTS = 48
RED = "7"


class Killing:
    """One scenario: a project, an endpoint, and the kills so far."""

    def __init__(self, program, rng, repeats=1, tokens=0):
        self.rng, self.repeats, self.kills = rng, repeats, 0
        self.endpoint = Endpoint(lambda inputs: ({"answer": "A" + inputs["id"]}, 0.004 + 0.001 * (hash_of(inputs["id"]) % 20)), tokens)
        self.project = Project(program)
        self.known = {}

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.project.__exit__(*problem)
        self.endpoint.close()

    def live(self):
        self.project.live(self.endpoint.url, "concurrency: 8\nretries: { count: 0 }", patience="20s")

    def kill(self, *args):
        """Starts the program and kills it after some sends or at some moment; False where it ended before."""
        child = self.project.start(*args)
        if self.rng.random() < 0.6:
            moment, until = self.endpoint.count() + self.rng.randrange(1, TESTS * self.repeats // 3), time.monotonic() + 20
            while self.endpoint.count() < moment and child.poll() is None and time.monotonic() < until:
                time.sleep(0.0005)
            time.sleep(self.rng.random() * 0.01)
        else:
            until = time.monotonic() + self.rng.random() * 0.5
            while child.poll() is None and time.monotonic() < until:
                time.sleep(0.001)
        return self.end(child)

    def end(self, child):
        killed = child.poll() is None
        end_group(child)
        code = child.wait(20)
        self.project.at_work.remove(child)
        text = child.log.read_bytes().decode("utf-8", "replace")
        demand("panicked" not in text, f"panics: {text[-300:]}")
        self.kills += killed and code == -9
        self.endpoint.settle()
        return killed and code == -9

    def check_sent(self):
        """What had finished stays finished and is not sent again, and nothing is sent twice; gives how often each test was sent."""
        counts = collections.Counter(inputs["id"] for inputs in self.endpoint.sent())
        finished = {number_of(result["name"]) for result in self.project.results()}
        lost = sorted(set(self.known) - finished)
        demand(not lost, f"these had finished: {lost}")
        again = {test: counts[test] - count for test, count in self.known.items() if counts[test] != count}
        demand(not again, f"these had finished and were sent again: {again}")
        # A test whose repeats were not all finished begins anew, but each request is one of its attempts.
        twice = {test: count for test, count in counts.items() if self.repeats == 1 and count > 1}
        demand(not twice, f"sent twice: {twice}")
        self.known = {test: counts[test] for test in finished}
        return counts

    def check_gate(self):
        """An unfinished run is never green."""
        gate = self.project.run("report", "latest", "--gate").check()
        demand(gate.code != 0 or len(self.known) == TESTS, f"the gate is green with {len(self.known)} of {TESTS} tests: {gate.text[-200:]}")

    def kill_and_resume(self, most, *args):
        """Kills a run, and each run that takes it up; then lets the last one end, and looks at all of it."""
        # A run that was killed before it announced itself leaves an older one the latest: that one is not taken up.
        begun, older, sent = False, self.project.latest(), self.endpoint.count()
        for _ in range(most):
            killed = self.kill("run", "-q", *(["--resume", "latest"] if begun else args))
            self.check_sent()
            begun = begun or (self.project.latest() != older and bool(self.project.journal()))
            demand(begun or self.endpoint.count() == sent, "something was sent before it was in a journal")
            if killed and begun and self.rng.random() < 0.3:
                self.check_gate()
        return self.project.run("run", "-q", *(["--resume", "latest"] if begun else args))

    def check_whole(self, ended, codes=(0,)):
        """Every test has one result, and every request that was sent is one attempt of the journal."""
        ended.check(codes)
        counts = self.check_sent()
        told = collections.Counter()
        for line in self.project.journal():
            if "attempt_finished" in line:
                told[line["attempt_finished"]["key"]] += 1
        for result in self.project.results():
            test, attempts = number_of(result["name"]), told[result["key"]]
            demand(attempts == counts[test] >= self.repeats, f"{test} was sent {counts[test]} times, {attempts} are told")
        report = self.project.check_reports()
        names = {case["name"] for case in report["cases"]}
        demand(len(names) == TESTS == len(report["cases"]), f"{len(report['cases'])} of {TESTS} tests are reported")
        demand(report["run"]["complete"] and report["totals"]["unfinished"] == 0, f"not complete: {report['totals']}")
        demand(report["totals"]["passed"] == TESTS, f"not all passed: {report['totals']}")
        attempts = sum(len(case["attempts"]) for case in report["cases"])
        demand(attempts == TESTS * self.repeats, f"{attempts} attempts are reported")


def number_of(name):
    """The row of `s::t[7]`."""
    return name.split("[")[1].rstrip("]")


def hash_of(text):
    return sum(ord(character) * 31 for character in text) + 7


def plain(program, rng):
    with Killing(program, rng) as killing:
        killing.live()
        killing.project.suite(tests(TESTS))
        killing.check_whole(killing.kill_and_resume(2))
        return killing.kills


def resumes_of_resumes(program, rng):
    with Killing(program, rng) as killing:
        killing.live()
        killing.project.suite(tests(TESTS))
        killing.check_whole(killing.kill_and_resume(7))
        return killing.kills


def repeats(program, rng):
    with Killing(program, rng, repeats=3) as killing:
        killing.live()
        killing.project.suite(tests(TESTS, more="    repeat: 3\n"))
        killing.check_whole(killing.kill_and_resume(4))
        return killing.kills


def budgets(program, rng):
    with Killing(program, rng, tokens=100) as killing:
        killing.live()
        killing.project.suite(tests(TESTS), head="usage: trust\nbudget: { per_test: { tokens: 150 } }\n")
        budget = rng.randrange(TESTS * 50, TESTS * 90)
        ended = killing.kill_and_resume(4, "--budget-tokens", budget)
        ended.check((98,))
        spent = 100 * killing.endpoint.count()
        demand(spent <= budget, f"{spent} tokens were used of {budget}")
        report = killing.project.check_reports()
        demand(report["totals"]["tokens"] == spent, f"{report['totals']['tokens']} tokens are told, {spent} were used")
        killing.check_whole(killing.project.run("run", "-q", "--resume", "latest", "--budget-tokens", TESTS * 200))
        return killing.kills


def recordings(program, rng):
    with Killing(program, rng) as killing:
        killing.live()
        killing.project.suite(tests(TESTS))
        killing.check_whole(killing.kill_and_resume(4, "--record", "new_episodes"))
        recorded = exchanges(killing.project)
        # What was found again is in no answer, so it is recorded by one more request.
        before = killing.endpoint.count()
        killing.project.run("run", "-q", "--record", "new_episodes").check((0,))
        again = killing.endpoint.count() - before
        demand(again == TESTS - recorded, f"{recorded} of {TESTS} were recorded, and {again} were sent again")
        demand(exchanges(killing.project) == TESTS, f"{exchanges(killing.project)} exchanges are recorded")
        before = killing.endpoint.count()
        killing.project.run("run", "-q", "--replay").check((0,))
        demand(killing.endpoint.count() == before, "a replay sends something")
        demand(not killing.project.strays(), f"left behind: {killing.project.strays()}")
        return killing.kills


def exchanges(project):
    path = project.path / "suites/cassettes/s.jsonl"
    return len(path.read_text().splitlines()) - 1 if path.is_file() else 0


def snapshots(program, rng):
    with Killing(program, rng) as killing:
        killing.live()
        rows = tests(TESTS).split("    assert:")[0]
        killing.project.suite(rows + "    assert: [{ path: $.answer, snapshot: true }]\n")
        ended = killing.kill_and_resume(3)
        ended.check((0, 97, 100))
        counts = killing.check_sent()
        demand(all(counts[str(test)] == 1 for test in range(TESTS)), "not every test was sent once")
        folder = killing.project.path / "suites/snapshots"
        check_snapshots(folder)
        for _ in range(3):
            child = killing.project.start("snapshot", "accept", "--all")
            time.sleep(rng.random() * 0.25)
            killing.end(child)
            check_snapshots(folder)
        killing.project.run("snapshot", "accept", "--all").check((0, 1, 2))
        check_snapshots(folder)
        approved = list(folder.rglob("*.json"))
        demand(len(approved) == TESTS, f"{len(approved)} of {TESTS} snapshots are approved")
        killing.project.run("run", "-q").check((0,))
        demand(killing.project.report()["totals"]["passed"] == TESTS, "not all snapshots hold")
        demand(not killing.project.strays(), f"left behind: {killing.project.strays()}")
        return killing.kills


def check_snapshots(folder):
    """Each file is whole, and holds what was answered."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".new"):
            document = json.loads(path.read_text())
            number = document["test"].split("[")[1].rstrip("]")
            demand(document["entries"] == {"$.answer": "A" + str(int(number) - 0)}, f"{path.name} holds {document}")


def merges(program, rng):
    with Killing(program, rng) as killing:
        killing.live()
        red = tests(TESTS).replace("equals: \"A{{ row.id }}\"", f"equals: \"A{{{{ '!' if row.id == '{RED}' else row.id }}}}\"")
        killing.project.suite(red)
        runs, red_run = [], None
        for shard in (1, 2):
            ended = killing.kill_and_resume(1, "--shard", f"{shard}/2")
            ended.check((0, 100))
            killing.known = {}
            runs.append(killing.project.latest())
            red_run = runs[-1] if ended.code == 100 else red_run
        demand(red_run is not None, "neither shard is red")
        paths = [f"reports/runs/{run}" for run in runs]
        for _ in range(4):
            # The newest run is red: whatever a killed merge leaves, the gate stays red.
            (killing.project.path / "reports/latest-run").write_text(red_run + "\n")
            child = killing.project.start("merge", *paths)
            time.sleep(rng.random() * 0.15)
            killing.end(child)
            gate = killing.project.run("report", "latest", "--gate").check()
            demand(gate.code != 0, f"green after a merge that was killed: {gate.text[-200:]}")
        killing.project.run("merge", *paths).check((0, 1))
        killing.project.run("report", "latest", "--gate").check((100,))
        report = killing.project.check_reports()
        demand(len({case["name"] for case in report["cases"]}) == TESTS, "tests are missing in the merged run")
        demand(report["totals"]["passed"] == TESTS - 1 and report["totals"]["failed"] == 1, f"{report['totals']}")
        counts = killing.check_sent()
        demand(all(counts[str(test)] == 1 for test in range(TESTS)), "not every test was sent once")
        return killing.kills


SCENARIOS = [plain, resumes_of_resumes, repeats, budgets, recordings, snapshots, merges]
