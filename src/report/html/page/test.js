// Everything there is to see of one test.

// Where the attempts of a test stand; null where they were left out to keep the page small.
const attemptsOf = (row) => {
  if (row.attempts === 0) return [];
  const own = byId(`case-${row.case}`);
  if (own) return parseExact(own.textContent);
  const shared = byId(`held-${row.piece}`);
  return shared ? parseExact(shared.textContent)[row.case] ?? null : null;
};

const factLine = (attempt) => {
  const { facts } = attempt;
  const told = [
    ["status", facts.status], ["latency", facts.latency_ms !== undefined ? duration(numberOf(facts.latency_ms)) : undefined],
    ["first token", facts.ttft_ms !== undefined ? duration(numberOf(facts.ttft_ms)) : undefined],
    ["Dify's time", facts.server_ms !== undefined ? duration(numberOf(facts.server_ms)) : undefined],
    ["later than the rate meant", attempt.intended_ms !== undefined ? duration(Math.max(0, numberOf(attempt.sent_ms) - numberOf(attempt.intended_ms))) : undefined],
    ["waited", numberOf(attempt.waited_ms) >= 1 ? duration(numberOf(attempt.waited_ms)) : undefined],
    ["tokens", facts.tokens !== undefined ? count(scalar(facts.tokens)) : facts.seen?.tokens ? `${count(scalar(facts.seen.tokens))} or more` : undefined],
    ["cost", facts.cost?.map((price) => `${price.amount} ${price.currency}`).join(" + ") ?? facts.seen?.cost?.map((price) => `${price.amount} ${price.currency} or more`).join(" + ")],
    ["steps", facts.steps !== undefined ? scalar(facts.steps) : undefined],
    ["run", facts.run_id], ["version", facts.workflow_id], ["Dify", facts.dify_version],
    ["found again by its", facts.recovered], ["lost because", facts.lost],
  ].filter(([, value]) => value !== undefined && value !== null && value !== "");
  return make("dl", { class: "facts" }, told.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, shown(value)))));
};

const causeOf = (cause) => (cause ? make("div", { class: "cause", dir: "auto" }, make("p", {}, longText(cause.message, 4000)), cause.hint ? make("p", {}, "→ ", shown(cause.hint)) : undefined) : undefined);

const copied = (text) => {
  const button = make("button", { type: "button", click: () => {
    const done = (word) => { button.textContent = word; setTimeout(() => { button.textContent = "Copy"; }, 2000); };
    // A file on disk may not use the clipboard: then the line is selected, ready for Ctrl-C.
    const choose = () => { getSelection().selectAllChildren(line); done("Selected"); };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done("Copied"), choose);
    else choose();
  } }, "Copy");
  const line = make("pre", {}, longText(text));
  return make("section", {}, make("h3", {}, "Send it again ", button), line);
};

const showAttempt = (attempt, many) => {
  const title = many ? make("h3", { class: "attempt" }, `Repeat ${attempt.repeat + 1}, try ${attempt.attempt + 1}: ${attempt.verdict}${attempt.retried ? ", tried again" : ""}`) : undefined;
  const notes = [attempt.replayed ? "Replayed from a cassette: nothing was sent." : undefined, attempt.facts.usage?.message, ...(attempt.contract ?? []).map((note) => `Not known of Dify ${note.known}: ${note.message}`)].filter((note) => note);
  return make("section", {}, title, causeOf(attempt.cause), showFindings(attempt),
    notes.map((note) => make("p", { class: "remark" }, shown(note))),
    waterfall(attempt.facts.nodes, attempt.facts.latency_ms),
    "outputs" in attempt ? make("section", {}, make("h3", {}, "Outputs"), valueBox(attempt.outputs, { class: "outputs" })) : undefined,
    make("section", {}, make("h3", {}, "Facts"), factLine(attempt)),
    attempt.curl ? copied(attempt.curl) : undefined);
};

// The attempt that tells most first: the last one of the test's own verdict.
const inOrder = (row, attempts) => {
  const telling = attempts.findLastIndex((attempt) => attempt.verdict === row.verdict && !attempt.retried);
  const first = row.verdict === "flaky" ? attempts.findIndex((attempt) => attempt.verdict !== "passed") : telling;
  return first < 0 ? attempts : [attempts[first], ...attempts.slice(0, first), ...attempts.slice(first + 1)];
};

const showTest = (row) => {
  setAlike(row.alike);
  const head = [
    make("h2", {}, make("span", { class: `badge ${row.group}` }, row.verdict), " ", make("bdi", {}, shown(row.full))),
    make("p", { class: "place" }, shown(row.line > 0 ? `${row.file}:${row.line}` : row.file), row.tags.map((tag) => [" ", make("span", { class: "tag" }, shown(tag))])),
  ];
  const attempts = attemptsOf(row);
  if (attempts === null) return [head, row.why ? make("p", { class: "message" }, shown(row.why)) : undefined, make("p", { class: "remark" }, "The details of this test were left out to keep this page small. They are in report.json.")];
  if (attempts.length === 0) return [head, make("p", { class: row.red ? "cause" : "message" }, shown(row.why || "Nothing was sent."))];
  const list = inOrder(row, attempts);
  return [head, some(make("div"), list, 10, (attempt) => showAttempt(attempt, list.length > 1), "attempts")];
};
