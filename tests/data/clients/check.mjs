// Runs workflows, streams, uploads and stops on a mock with Dify's Node client.
import assert from "node:assert/strict";
import { CompletionClient } from "dify-client";

const [atOnce, realTime] = process.argv.slice(2);
const client = new CompletionClient("app-shop", atOnce);
setTimeout(() => { console.error("hangs"); process.exit(1); }, 50_000).unref();

// The client hands out the bytes: events are cut at blank lines, data lines are JSON.
async function* eventsOf(response) {
  let text = "";
  for await (const piece of response.data.setEncoding("utf8")) {
    text += piece;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      if (block.startsWith("data: ")) yield JSON.parse(block.slice(6));
      else assert.equal(block, "event: ping");
    }
  }
  assert.equal(text, "", "the stream ends within an event");
}

const { data: done, headers } = await client.runWorkflow({ query: "delivery" }, "js");
assert.match(headers["x-version"], /^1\.1[24]\.\d$/);
assert.deepEqual(done.data.outputs, { answer: "Two days.", boxes: [1, 2] });
assert.equal(done.data.status, "succeeded");

const events = [];
for await (const event of eventsOf(await client.runWorkflow({ query: "delivery" }, "js", true))) events.push(event);
assert.equal(events[0].event, "workflow_started");
assert.equal(events.at(-1).event, "workflow_finished");
assert.deepEqual(events.at(-1).data.outputs, done.data.outputs);
const model = events.filter((event) => event.data.from_variable_selector?.join(".") === "answer.text");
assert.equal(model.map((event) => event.data.text).join(""), "Two days.");

const form = new FormData();
form.append("user", "js");
form.append("file", new Blob(["some text"], { type: "text/plain" }), "note.txt");
const { status, data: stored } = await client.fileUpload(form);
assert.deepEqual([status, stored.name, stored.size, stored.mime_type], [201, "note.txt", 9, "text/plain"]);
const doc = { type: "document", transfer_method: "local_file", upload_file_id: stored.id };
const { data: read } = await client.runWorkflow({ query: "file", doc }, "js");
assert.equal(read.data.outputs.answer, "Read.");

const { data: parameters } = await client.getApplicationParameters("js");
assert.deepEqual(parameters.user_input_form.map((field) => Object.keys(field)[0]), ["text-input", "number", "json_object", "file"]);

const slow = new CompletionClient("app-shop", realTime);
let last;
for await (const event of eventsOf(await slow.runWorkflow({ query: "slow" }, "js", true))) {
  last = event;
  if (event.event === "node_started" && event.data.title === "Slow") {
    // The client has no call of its own for it.
    const { data } = await slow.sendRequest("POST", `/workflows/tasks/${event.task_id}/stop`, { user: "js" });
    assert.deepEqual(data, { result: "success" });
  }
}
assert.deepEqual([last.event, last.data.status, last.data.error], ["workflow_finished", "stopped", "Stopped by user."]);

await assert.rejects(client.runWorkflow({}, "js"), (error) => {
  assert.equal(error.response.status, 400);
  assert.equal(error.response.data.message, "query is required in input form");
  return true;
});
console.log("dify-client (npm): runs, streams, uploads, stops, refusals");
