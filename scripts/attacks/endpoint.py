"""A small Dify 1.14.2 on loopback that counts what it is sent, and remembers every run."""

import http.server
import json
import socket
import threading
import time
import urllib.parse
import uuid

WORKFLOW = "918b199b-c2d9-5f89-8847-f05cc6aa540b"


class Run:
    """One run that was asked for."""

    def __init__(self, inputs, user):
        self.id, self.task = str(uuid.uuid4()), str(uuid.uuid4())
        self.inputs, self.user, self.began = inputs, user, int(time.time())
        self.outputs, self.ended, self.stopped = {}, False, False


class Endpoint:
    """`answer(inputs)` gives the outputs of a run and the seconds it takes; a run goes on when its client is gone.

    `raw(inputs, handler)` may answer by itself and give True; then nothing is known of the run."""

    def __init__(self, answer, tokens=0, raw=None):
        self.answer, self.tokens, self.raw = answer, tokens, raw
        self.lock, self.runs, self.at_work, self.connections, self.other = threading.Lock(), [], 0, 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.get(self)

            def do_POST(self):
                outer.post(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

            def handle_error(self, *_):
                pass

            def process_request(self, request, address):
                with outer.lock:
                    outer.connections += 1
                super().process_request(request, address)

            def shutdown_request(self, request):
                super().shutdown_request(request)
                with outer.lock:
                    outer.connections -= 1

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self):
        with self.lock:
            return len(self.runs)

    def sent(self):
        """The inputs of all runs, in their order."""
        with self.lock:
            return [run.inputs for run in self.runs]

    def settle(self):
        """Waits until all that a process sent is read and answered, once it has ended: its connections are accepted and closed."""
        address, until, quiet = self.server.server_address, time.monotonic() + 20, 0
        # They are accepted in their order, so those of the process before this one.
        socket.create_connection(address, timeout=20).close()
        while quiet < 3 and time.monotonic() < until:
            time.sleep(0.01)
            with self.lock:
                quiet = quiet + 1 if self.at_work == 0 and self.connections == 0 else 0
        if quiet < 3:
            raise RuntimeError("the endpoint is never quiet")

    def get(self, http):
        path, _, query = http.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        with self.lock:
            if path.endswith("/workflows/logs"):
                user = query.get("created_by_end_user_session_id")
                rows = [self.row(run) for run in self.runs if user in (None, run.user)]
                return reply(http, 200, {"page": 1, "limit": 20, "total": len(rows), "has_more": False, "data": rows[:20]})
            found = [run for run in self.runs if path.endswith("/workflows/run/" + run.id)]
        if found:
            return reply(http, 200, self.detail(found[0]))
        self.other.append(http.path)
        return reply(http, 404, {"code": "not_found", "message": "Not found.", "status": 404})

    def row(self, run):
        return {"id": str(uuid.uuid4()), "created_at": run.began, "created_by_end_user": {"id": "e", "session_id": run.user},
                "workflow_run": {"id": run.id, "status": "succeeded" if run.ended else "running", "created_at": run.began}}

    def detail(self, run):
        status = "stopped" if run.stopped else "succeeded" if run.ended else "running"
        return {"id": run.id, "workflow_id": WORKFLOW, "status": status, "inputs": dict(run.inputs, **{"sys.user_id": run.user}),
                "outputs": run.outputs if run.ended else None, "error": None, "total_steps": 1, "total_tokens": self.tokens,
                "created_at": run.began, "finished_at": run.began, "elapsed_time": 0.01}

    def post(self, http):
        body = http.rfile.read(int(http.headers.get("Content-Length") or 0))
        if http.path.endswith("/stop"):
            with self.lock:
                for run in self.runs:
                    run.stopped |= run.task in http.path and not run.ended
            return reply(http, 200, {"result": "success"})
        if not http.path.endswith("/workflows/run"):
            self.other.append(http.path)
            return reply(http, 404, {"code": "not_found", "message": "Not found.", "status": 404})
        asked = json.loads(body)
        run = Run(asked.get("inputs", {}), asked.get("user", ""))
        with self.lock:
            self.runs.append(run)
            self.at_work += 1
        try:
            if self.raw is None or not self.raw(run.inputs, http):
                self.serve(run, http)
        finally:
            with self.lock:
                self.at_work -= 1
                run.ended = True

    def serve(self, run, http):
        outputs, seconds = self.answer(run.inputs)
        try:
            http.wfile.write(stream_head() + chunk(sse(started(run))))
        except OSError:
            pass
        until = time.monotonic() + seconds
        while time.monotonic() < until and not run.stopped:
            time.sleep(min(0.005, seconds))
        with self.lock:
            run.outputs, run.ended = outputs, True
        try:
            http.wfile.write(b"".join(chunk(sse(event)) for event in self.end(run)) + b"0\r\n\r\n")
        except OSError:
            http.close_connection = True

    def end(self, run):
        status = "stopped" if run.stopped else "succeeded"
        return [*node(run, run.outputs), finished(run, run.outputs, status, self.tokens)]


def reply(http, status, document):
    body = json.dumps(document).encode()
    try:
        http.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("X-Version", "1.14.2"), ("Content-Length", str(len(body)))):
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(body)
    except OSError:
        http.close_connection = True


def stream_head(more=""):
    return ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Version: 1.14.2\r\n"
            f"Transfer-Encoding: chunked\r\n{more}\r\n").encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def sse(event):
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def event(run, name, data):
    return {"event": name, "workflow_run_id": run.id, "task_id": run.task, "data": data}


def started(run):
    return event(run, "workflow_started", {"id": run.id, "workflow_id": WORKFLOW, "inputs": run.inputs, "created_at": run.began, "reason": "initial"})


def node(run, outputs):
    common = {"id": "e1", "node_id": "n1", "node_type": "code", "title": "Answer", "index": 1, "predecessor_node_id": None, "inputs": {},
              "inputs_truncated": False, "created_at": run.began, "iteration_id": None, "loop_id": None}
    ended = dict(common, process_data={}, process_data_truncated=False, outputs=outputs, outputs_truncated=False, status="succeeded",
                 error=None, elapsed_time=0.01, execution_metadata=None, finished_at=run.began, files=[])
    return [event(run, "node_started", dict(common, extras={}, agent_strategy=None)), event(run, "node_finished", ended)]


def finished(run, outputs, status="succeeded", tokens=0, error=None):
    return event(run, "workflow_finished", {
        "id": run.id, "workflow_id": WORKFLOW, "status": status, "outputs": outputs, "error": error, "elapsed_time": 0.01,
        "total_tokens": tokens, "total_steps": 1, "created_by": {"id": "u", "user": run.user}, "created_at": run.began,
        "finished_at": run.began, "exceptions_count": 0, "files": []})
