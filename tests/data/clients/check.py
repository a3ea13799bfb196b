"""Runs workflows, streams, uploads and stops on a mock with dify-client-python, whose models are pydantic's."""

import asyncio
import os
import sys
import threading

from dify_client import AsyncClient, Client, errors, models

at_once, real_time = sys.argv[1:3]
client = Client(api_key="app-shop", api_base=at_once)
RUN = {"user": "py", "response_mode": models.ResponseMode.BLOCKING}
# What each event's data must be: the client alone falls back on any mapping. Of `node_retry` it knows no status `retry`, which
# Dify sends (tests/data/wire, http_fail_retry.streaming).
DATA = {
    "workflow_started": models.WorkflowStartedData,
    "node_started": models.NodeStartedData,
    "node_finished": models.NodeFinishedData,
    "workflow_finished": models.WorkflowFinishedData,
    "text_chunk": models.TextStreamData,
}


def request(query, mode=models.ResponseMode.BLOCKING, **inputs):
    return models.WorkflowsRunRequest(inputs={"query": query, **inputs}, response_mode=mode, user="py")


def as_mapping(data):
    return data if isinstance(data, dict) else data.model_dump(mode="json")


def data_of(event):
    return DATA[str(event.event)].model_validate(as_mapping(event.data))


def check_events(events):
    names = [str(event.event) for event in events]
    assert names[0] == "workflow_started" and names[-1] == "workflow_finished", names
    for event in events:
        assert isinstance(event.event, models.StreamEvent), f"{event.event} is unknown"
        if str(event.event) in DATA:
            data_of(event)
    for name in ("node_retry", "iteration_started", "iteration_next", "iteration_completed"):
        assert name in names, f"{name} is missing in {names}"
    for name in ("loop_started", "loop_next", "loop_completed", "text_chunk"):
        assert name in names, f"{name} is missing in {names}"
    last = data_of(events[-1])
    assert last.status == models.WorkflowStatus.SUCCEEDED and last.total_tokens == 180, last
    finished = [data_of(event) for event in events if str(event.event) == "node_finished"]
    answer = next(data for data in finished if data.node_id == "answer")
    assert answer.execution_metadata.total_tokens == 180, answer.execution_metadata
    models.Usage.model_validate(answer.outputs["usage"], strict=True)


def check_blocking():
    done = client.run_workflows(request("delivery"))
    assert done.data.status == models.WorkflowStatus.SUCCEEDED, done
    assert done.data.outputs == {"answer": "Two days.", "boxes": [1, 2]}, done
    failed = client.run_workflows(request("failure"))
    assert failed.data.status == models.WorkflowStatus.FAILED, failed
    assert failed.data.error == "division by zero" and failed.data.outputs == {}, failed


def check_refusals():
    for query, inputs, kind in [
        ("x" * 49, {}, errors.DifyInvalidParam),
        ("delivery", {"count": "many"}, errors.DifyInvalidParam),
        ("delivery", {"count": []}, errors.DifyInternalServerError),
    ]:
        try:
            client.run_workflows(request(query, **inputs))
        except kind as error:
            assert error.message, error
        else:
            raise AssertionError(f"{query} {inputs} was not refused")
    try:
        Client(api_key="wrong", api_base=at_once).run_workflows(request("delivery"))
    except errors.DifyAPIError as error:
        assert (error.status, error.code) == (401, "unauthorized"), error
    else:
        raise AssertionError("a wrong key was taken")


def check_upload():
    sent = ("note.txt", b"some text", "text/plain")
    stored = client.upload_files(sent, models.UploadFileRequest(user="py"))
    assert (stored.name, stored.size, stored.extension) == ("note.txt", 9, "txt"), stored
    file = {"type": "document", "transfer_method": "local_file", "upload_file_id": stored.id}
    done = client.run_workflows(request("file", doc=file))
    assert done.data.outputs == {"answer": "Read."}, done


def check_stop():
    slow = Client(api_key="app-shop", api_base=real_time)
    events = []
    for event in slow.run_workflows(request("slow", models.ResponseMode.STREAMING)):
        events.append(event)
        if str(event.event) == "node_started" and as_mapping(event.data)["title"] == "Slow":
            stopped = slow.stop_workflows(event.task_id, models.StopRequest(user="py"))
            assert stopped.result == "success", stopped
    last = data_of(events[-1])
    assert (last.status, last.error) == (models.WorkflowStatus.STOPPED, "Stopped by user."), last


async def check_async():
    own = AsyncClient(api_key="app-shop", api_base=at_once)
    done = await own.arun_workflows(request("delivery"))
    assert done.data.outputs["answer"] == "Two days.", done
    stream = await own.arun_workflows(request("delivery", models.ResponseMode.STREAMING))
    check_events([event async for event in stream])


def give_up():
    print("dify-client-python hangs", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


watch = threading.Timer(50, give_up)
watch.daemon = True
watch.start()
check_blocking()
check_events(list(client.run_workflows(request("delivery", models.ResponseMode.STREAMING))))
check_refusals()
check_upload()
check_stop()
asyncio.run(check_async())
print("dify-client-python: runs, streams, uploads, stops, refusals")
