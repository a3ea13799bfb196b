"""Journals that are cut, changed and shuffled."""

import shutil

from .attack import Attack
from .bench import Project, demand, tests
from .endpoint import Endpoint

TESTS = 12
DAMAGES = 200


def damaged(program, rng):
    endpoint = Endpoint(lambda inputs: ({"answer": "A" + inputs["id"]}, 0.001))
    with Project(program) as project:
        project.live(endpoint.url)
        project.suite(tests(TESTS))
        project.run("run", "-q").check((0,))
        path = project.path / f"reports/runs/{project.latest()}/journal.jsonl"
        whole, kept = path.read_bytes(), project.folder / "kept"
        shutil.copytree(project.path / "reports", kept)
        for number in range(DAMAGES):
            kind = DAMAGE[number % len(DAMAGE)]
            bytes_ = kind(whole, rng)

            def run():
                shutil.rmtree(project.path / "reports")
                shutil.copytree(kept, project.path / "reports")
                path.write_bytes(bytes_)
                judge(project)
            yield f"{kind.__name__} {number}", run
    endpoint.close()


def judge(project):
    """The gate of a damaged journal is green only where every test is there; and what is taken up is whole or refused."""
    gate = project.run("report", "latest", "--gate").check()
    if gate.code == 0:
        report = project.check_reports()
        demand(report["totals"]["passed"] == TESTS and report["run"]["complete"], f"green with {report['totals']}")
    resumed = project.run("run", "-q", "--resume", "latest").check((0, 2, 3, 4, 98, 99, 97, 100, 130))
    if resumed.code == 0:
        report = project.check_reports()
        demand(report["totals"]["passed"] == TESTS, f"green after a resume with {report['totals']}")


def cut(whole, rng):
    return whole[:rng.randrange(len(whole))]


def flip(whole, rng):
    at = rng.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1:]


def drop_lines(whole, rng):
    lines = whole.splitlines(True)
    return b"".join(line for line in lines if rng.random() < 0.8)


def double_lines(whole, rng):
    return b"".join(line * rng.choice((1, 1, 2)) for line in whole.splitlines(True))


def swap_lines(whole, rng):
    lines = whole.splitlines(True)
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def put_in(whole, rng):
    at, what = rng.randrange(len(whole)), rng.choice((b"\0" * 4096, b"\xff\xfe", b"\n\n\n", b"{}\n", b"<html>\n", b"\r"))
    return whole[:at] + what + whole[at:]


DAMAGE = [cut, flip, drop_lines, double_lines, swap_lines, put_in]

ATTACKS = [Attack("damaged journals, gate and resume", "a finished journal cut at any byte, a bit flipped, lines dropped, doubled and "
                  "swapped, rubbish put in: no panic, no green with results missing", damaged)]
