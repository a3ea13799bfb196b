"""Endpoints and judges that misbehave."""

import gzip
import json
import time
import zlib

from .attack import Attack
from .bench import Project, demand, tests
from .endpoint import Endpoint, Run, chunk, event, finished, node, sse, started, stream_head

ONE = "  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, equals: A1 }]\n"
LIMITS = "timeouts: { total: 15s, first_event: 5s, idle: 4s }\nretries: { count: 0 }"


def events(run):
    outputs = {"answer": "A1"}
    return [started(run), *node(run, outputs), finished(run, outputs)]


def stream(run, change=None):
    return b"".join(map(sse, change(events(run)) if change else events(run)))


def body(data, head=""):
    return (f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Version: 1.14.2\r\nContent-Length: {len(data)}\r\n"
            f"Connection: close\r\n{head}\r\n").encode() + data


def changed(key, value, of="workflow_finished"):
    def change(all_events):
        for one in all_events:
            if one["event"] == of:
                one["data"][key] = value
        return all_events
    return lambda run: body(stream(run, change))


def without(name):
    return lambda run: body(stream(run, lambda all_events: [one for one in all_events if one["event"] != name]))


def raw(data):
    return lambda run: data


def slowly(data):
    def pieces(run):
        for at in range(0, len(data), 1):
            yield data[at:at + 1]
            time.sleep(0.2)
    return pieces


def flood(piece, times):
    def pieces(run):
        yield stream_head() + chunk(sse(started(run)))
        for _ in range(times):
            yield chunk(piece)
        yield b"".join(chunk(sse(one)) for one in events(run)[1:]) + b"0\r\n\r\n"
    return pieces


def document(text, status="200 OK", kind="application/json"):
    data = text if isinstance(text, bytes) else text.encode()
    return raw(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nX-Version: 1.14.2\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)


def other_run(run):
    one, other = events(run), events(Run(run.inputs, run.user))
    return body(b"".join(map(sse, one[:2] + other[2:])))


# What is answered, by its name; those of `SOUND` are sound answers in an odd form, and pass.
SOUND = {
    "as it should be": lambda run: body(stream(run)),
    "carriage returns": lambda run: body(stream(run).replace(b"\n", b"\r\n")),
    "a byte order mark": lambda run: body(b"\xef\xbb\xbf" + stream(run)),
    "a flood of pings": flood(b"event: ping\n\n", 20_000),
    "a flood of comments": flood(b": nothing\n", 20_000),
    "a long line that is no field": flood(b"x" * 100_000, 200),
    "gzip": lambda run: body(gzip.compress(stream(run)), "Content-Encoding: gzip\r\n"),
    "gzip of several members": lambda run: body(b"".join(gzip.compress(sse(one)) for one in events(run)), "Content-Encoding: gzip\r\n"),
}
UNSOUND = {
    "no bytes": raw(b""),
    "no HTTP": raw(b"\x16\x03\x01\x02\x00rubbish\r\n\r\n"),
    "HTTP 0.9": raw(b"<html>A1</html>"),
    "HTTP 2": raw(b"HTTP/2 200\r\n\r\nA1"),
    "status 000": raw(b"HTTP/1.1 000 None\r\n\r\n"),
    "status 999": raw(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
    "status 100 for ever": raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "status 204": raw(b"HTTP/1.1 204 None\r\n\r\n"),
    "a redirect": raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
    "10,000 headers": raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"),
    "a header of 1 MB": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n"),
    "a header that never ends": slowly(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000),
    "a length that is too long": lambda run: body(stream(run)[:-200]).replace(b"Content-Length: ", b"Content-Length: 9"),
    "a length that is negative": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a chunk that is no number": raw(stream_head() + b"zz\r\ndata: {}\r\n\r\n"),
    "a huge chunk": raw(stream_head() + b"ffffffffffffffff\r\ndata"),
    "a stream without its end": without("workflow_finished"),
    "a stream that is cut": lambda run: body(stream(run)[:len(stream(run)) - 40]),
    "an answer of silence": lambda run: iter([stream_head()]),
    "events of another run": other_run,
    "a bomb of gzip": lambda run: body(gzip.compress(b"data: " + b"0" * 200_000_000), "Content-Encoding: gzip\r\n"),
    "gzip that is cut": lambda run: body(gzip.compress(stream(run))[:-30], "Content-Encoding: gzip\r\n"),
    "deflate that was not asked for": lambda run: body(zlib.compress(stream(run)), "Content-Encoding: deflate\r\n"),
    "brotli that is none": lambda run: body(stream(run), "Content-Encoding: br\r\n"),
    "an encoding that nobody knows": lambda run: body(stream(run), "Content-Encoding: rot13\r\n"),
    "an event of 10 MB": flood(b"data: " + b"x" * 10_000_000 + b"\n\n", 1),
    "UTF-8 that is cut": lambda run: body(stream(run).replace(b"A1", b"A1\xe2\x82")),
    "JSON that is deep": lambda run: body(stream(run).replace(b'"A1"', b"[" * 100_000 + b"]" * 100_000)),
    "JSON that is cut": lambda run: body(stream(run).replace(b'"A1"}', b'"A1"')),
    "NaN": lambda run: body(stream(run).replace(b'"elapsed_time": 0.01', b'"elapsed_time": NaN')),
    "the status is twice": lambda run: body(stream(run).replace(b'"status": "succeeded"', b'"status": "failed", "status": "succeeded"')),
    "outputs that are a text": changed("outputs", "A1"),
    "outputs that are a list": changed("outputs", ["A1"]),
    "no outputs": changed("outputs", None),
    "a status that nobody knows": changed("status", "fine"),
    "a status that is a number": changed("status", 1),
    "a failed run": changed("status", "failed"),
    "a stopped run": changed("status", "stopped"),
    "an `error` event": lambda run: body(sse(event(run, "error", {})) + b'data: {"event":"error","status":400,"code":"x","message":"y"}\n\n'),
    "HTML": document("<html>A1</html>", kind="text/html"),
    "an empty document": document(""),
    "null": document("null"),
    "a document without a run": document('{"answer":"A1"}'),
    "401": document('{"code":"unauthorized","message":"no","status":401}', "401 No"),
    "429 with a wait of a day": raw(b"HTTP/1.1 429 Slow\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"),
    "500 of 10 MB": document(b"x" * 10_000_000, "500 No", "text/plain"),
    "502 of a proxy": document("<html>bad gateway</html>", "502 Bad", "text/html"),
}


def broken(program, rng):
    for passes, kinds in ((True, SOUND), (False, UNSOUND)):
        for name, answer in kinds.items():
            yield name, lambda answer=answer, passes=passes: try_answer(program, answer, passes)


def try_answer(program, answer, passes):
    def respond(inputs, http):
        given = answer(Run(inputs, "u"))
        http.close_connection = True
        try:
            for piece in [given] if isinstance(given, bytes) else given:
                http.wfile.write(piece)
            if not isinstance(given, bytes):
                until = time.monotonic() + 10
                while time.monotonic() < until and http.connection.recv(1024, 0x42):
                    time.sleep(0.05)
        except OSError:
            pass
        return True

    endpoint = Endpoint(lambda inputs: ({}, 0), raw=respond)
    with Project(program) as project:
        project.live(endpoint.url, LIMITS)
        project.suite(ONE)
        ended = project.run("run", "-q", seconds=40).check((0,) if passes else (3, 4, 97, 100))
        demand(ended.megabytes < 1_000, f"takes {ended.megabytes} MB")
        report = project.check_reports()
        demand(report["totals"]["passed"] == passes, f"{report['totals']}")
    endpoint.close()


def vote(content, **more):
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    return {"choices": [{"message": message, "finish_reason": more.pop("finish", "stop")}], "usage": {"total_tokens": 7}, **more}


def grade(score, nonce="NONCE"):
    return '{"nonce":"%s","reason":"good","score":%s}' % (nonce, score)


VOTES = {
    "a score of NaN": vote(grade("NaN")), "a score of 1e999": vote(grade("1e999")), "a score as text": vote(grade('"1"')),
    "a score of 2": vote(grade("2")), "a negative score": vote(grade("-1")), "a score twice": vote('{"nonce":"NONCE","reason":"","score":0,"score":1}'),
    "another nonce": vote(grade("1", "ffff")), "no nonce": vote('{"reason":"","score":1}'), "prose": vote("I give it a 1."),
    "two objects": vote(grade("1") + grade("1")), "one key more": vote('{"nonce":"NONCE","reason":"","score":1,"x":1}'),
    "two choices": {"choices": vote(grade("1"))["choices"] * 2}, "no choice": {"choices": []}, "a cut answer": vote(grade("1"), finish="length"),
    "a filter": vote(grade("1"), finish="content_filter"), "a refusal": vote(grade("1"), message={"refusal": "no"}),
    "a tool call": vote(grade("1"), message={"tool_calls": [{}]}), "null": None, "a list": [], "a deep list": "[" * 50_000,
    "a page": "<html>1</html>", "a score in a code fence of prose": vote("Here: ```" + grade("1") + "```"),
}


def judges(program, rng):
    for name, answer in VOTES.items():
        yield name, lambda answer=answer: try_judge(program, answer)


def try_judge(program, answer):
    endpoint = JudgeEndpoint(answer)
    with Project(program) as project:
        project.live(endpoint.url, "retries: { count: 0 }", f"judges:\n  j: {{ url: \"{endpoint.url}\", api_key: key-of-the-judge, model: m, timeout: 5s }}\n")
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, llm_rubric: { judge: j, rubric: it is good, min: 0.5 } }]\n")
        project.run("run", "-q", seconds=40).check((3, 97, 100))
        demand(endpoint.asked > 0, "the judge was never asked")
        report = project.check_reports()
        demand(report["totals"]["passed"] == 0, f"{report['totals']}")
    endpoint.close()


class JudgeEndpoint(Endpoint):
    """A model that answers one thing, whatever it is asked; `NONCE` in it is the nonce of the question."""

    def __init__(self, answer):
        super().__init__(lambda inputs: ({"answer": "A1"}, 0))
        self.vote, self.asked = answer, 0

    def post(self, http):
        if not http.path.endswith("/chat/completions"):
            return super().post(http)
        question = http.rfile.read(int(http.headers.get("Content-Length") or 0)).decode()
        self.asked += 1
        nonce = nonce_of(question)
        text = self.vote if isinstance(self.vote, str) else json.dumps(self.vote)
        data = text.replace("NONCE", nonce).encode()
        http.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


def nonce_of(question):
    """What an honest judge repeats."""
    form = json.loads(question).get("response_format", {}).get("json_schema", {}).get("schema", {})
    return form.get("properties", {}).get("nonce", {}).get("enum", ["none"])[0]


def sound_judge(program, rng):
    yield "the control: a vote passes", lambda: try_sound(program)


def try_sound(program):
    endpoint = JudgeEndpoint(vote(grade("1")))
    with Project(program) as project:
        project.live(endpoint.url, "retries: { count: 0 }", f"judges:\n  j: {{ url: \"{endpoint.url}\", model: m, timeout: 5s }}\n")
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, llm_rubric: { judge: j, rubric: it is good, min: 0.5 } }]\n")
        project.run("run", "-q", seconds=40).check((0,))
    endpoint.close()


def all_judges(program, rng):
    yield from sound_judge(program, rng)
    yield from judges(program, rng)


ATTACKS = [
    Attack("broken HTTP, encodings, streams and JSON", "one behaviour each; no hang, no panic, less than 1 GB, and only sound answers pass", broken),
    Attack("judges that misbehave", "scores that are none, other nonces, refusals, tools, cut and deep answers: never green", all_judges),
]
