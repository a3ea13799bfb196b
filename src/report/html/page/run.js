// The page of a run: summary, filters, list, keys.

const head = JSON.parse(byId("head").textContent);
const RANKS = ["failed", "errored", "inconclusive", "tolerated", "flaky", "warned", "skipped", "passed"];
const ROW_SIGNS = { failed: "✗", errored: "!", inconclusive: "?", tolerated: "?", flaky: "~", warned: "△", skipped: "–", passed: "✓" };
const RED = ["failed", "errored", "inconclusive"];

const readRows = () => [...document.querySelectorAll("script.rows")].flatMap((element, piece) => JSON.parse(element.textContent).map((parts) => {
  const row = { piece };
  head.columns.forEach((name, at) => { row[name] = parts[at]; });
  row.group = row.tolerated ? "tolerated" : row.verdict === "passed" && row.warnings > 0 ? "warned" : row.verdict;
  row.red = RED.includes(row.group);
  row.full = `${row.suite}::${row.name}`;
  return row;
}));

const rows = readRows();
const rank = (row) => RANKS.indexOf(row.group);
const most = (value) => (a, b) => (value(b) ?? -1) - (value(a) ?? -1) || a.case - b.case;
const ORDERS = {
  "Red first": (a, b) => rank(a) - rank(b) || a.case - b.case,
  "As written": (a, b) => a.case - b.case,
  "By name": (a, b) => (a.full < b.full ? -1 : a.full > b.full ? 1 : 0),
  "Slowest first": most((row) => row.latency ?? row.duration),
  "Most tokens first": most((row) => row.tokens),
};
const state = { groups: new Set(), suite: "", order: "Red first", words: [], list: [], at: -1 };

const summarize = () => {
  const { run, totals, standing, told } = head;
  document.body.dataset.light = standing.light;
  byId("standing").replaceChildren(make("span", { "aria-hidden": "true" }, { green: "✓", red: "✗", grey: "–" }[standing.light]), " ", ...shown(standing.text));
  if (run.note) {
    byId("note").replaceChildren(...shown(run.note));
    byId("note").hidden = false;
  }
  const orMore = (unknown) => (unknown ? " or more" : "");
  const cost = Object.entries(totals.cost).map(([currency, amount]) => `${amount} ${currency}${orMore(totals.cost_unknown)}`);
  if (cost.length === 0 && totals.cost_unknown && !run.mock) cost.push("unknown");
  const facts = [
    ["target", run.target], ["profile", run.profile], ["started", run.started.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")], ["took", run.duration_ms === undefined ? "not ended" : duration(run.duration_ms)],
    ["attempts", count(totals.attempts)], ["tokens", totals.tokens ? count(totals.tokens) + orMore(totals.tokens_unknown) : totals.tokens_unknown ? "unknown" : ""], ["cost", cost.join(" + ")], ["run", run.id], ["flowproof", run.flowproof], ["left out by filters", run.deselected || ""], ["not finished", totals.unfinished || ""],
  ];
  byId("about").replaceChildren(...facts.filter(([, value]) => value !== "").map(([name, value]) => make("span", {}, make("b", {}, name), " ", shown(value))));
  if (told.length > 0) {
    byId("more").hidden = false;
    byId("more").querySelector("summary").replaceChildren(...shown(told.length === 1 ? told[0] : `${told[0]} … and ${plural(told.length - 1, "note")} more`));
    byId("more").querySelector("ul").replaceChildren(...told.map((line) => make("li", {}, shown(line))));
  }
};

const chartSummary = () => {
  const told = [["latency", (row) => row.latency, duration], ["tokens", (row) => row.tokens, (value) => count(value)]].map(([word, value, say]) => {
    const sorted = ranked(rows.map(value).filter((number) => number !== null));
    return sorted.length === 0 ? "" : `${word}: median ${say(quantile(sorted, 0.5))}, most ${say(sorted[sorted.length - 1])}`;
  });
  const line = told.filter((text) => text !== "").join(" · ");
  byId("charts").querySelector("summary").textContent = line ? `Charts — ${line}` : "Charts";
  byId("charts").addEventListener("toggle", () => {
    const box = byId("charts").querySelector(".charts");
    if (byId("charts").open && box.childElementCount === 0) box.append(...charts(rows));
  });
};

const choices = () => {
  const counts = new Map(RANKS.map((group) => [group, 0]));
  for (const row of rows) counts.set(row.group, counts.get(row.group) + 1);
  const toggle = (group) => () => {
    if (group === "all") state.groups.clear();
    else if (!state.groups.delete(group)) state.groups.add(group);
    refresh();
  };
  const button = (group, number) => make("button", { type: "button", class: `verdict ${group}`, "data-group": group, "aria-pressed": "false", click: toggle(group) }, group === "all" ? "" : `${ROW_SIGNS[group]} `, `${group} ${count(number)}`);
  byId("verdicts").append(button("all", rows.length), ...RANKS.filter((group) => counts.get(group) > 0).map((group) => button(group, counts.get(group))));
  const suites = [...new Set(rows.map((row) => row.suite))];
  byId("suite").append(make("option", { value: "" }, `All ${plural(suites.length, "suite")}`), ...suites.map((suite, at) => make("option", { value: at + 1 }, plain(suite))));
  byId("suite").hidden = suites.length < 2;
  byId("suite").addEventListener("change", () => { state.suite = suites[Number(byId("suite").value) - 1]; refresh(); });
  byId("order").append(...Object.keys(ORDERS).map((order) => make("option", { value: order }, order)));
  byId("order").addEventListener("change", () => { state.order = byId("order").value; refresh(); });
  byId("search").addEventListener("input", () => { state.words = byId("search").value.toLowerCase().split(/\s+/).filter((word) => word !== ""); refresh(); });
};

const matches = (row) => {
  if (state.groups.size > 0 && !state.groups.has(row.group)) return false;
  if (state.suite && row.suite !== state.suite) return false;
  if (state.words.length === 0) return true;
  row.hay ??= `${row.full}\n${row.why}\n${row.tags.join(" ")}\n${row.file}:${row.line}\n${row.verdict}`.toLowerCase();
  return state.words.every((word) => row.hay.includes(word));
};

// A row is short: what an assertion expects is said by the difference that follows it.
const brief = (why) => why.replace(/^(\S+) equals [^]*?: (expected |\$[.[])/, (whole, path, rest) => (path === "$" && rest !== "expected " ? rest : `${path}: ${rest}`));

const rowElement = (row) => make("div", { class: `row ${row.group}` },
  make("span", { class: "sign", role: "img", "aria-label": row.group }, ROW_SIGNS[row.group]),
  make("span", { class: "name" }, make("span", { class: "faint" }, `${plain(row.suite).slice(0, 200)} › `), make("bdi", {}, plain(row.name).slice(0, 400))),
  make("span", { class: "figures" }, [row.attempts === 0 ? "" : duration(row.latency ?? row.duration), !row.tokens ? "" : `${count(row.tokens)} tok${row.tokens_unknown ? " or more" : ""}`].filter((text) => text !== "").join(" · ")),
  make("span", { class: "why" }, plain(brief(row.why) || [row.line > 0 ? `${row.file}:${row.line}` : row.file, ...row.tags].join("  ")).slice(0, 400)));

const list = virtualList(byId("tests"), { label: "Tests, most important first", render: rowElement, select: (at) => choose(at) });

const choose = (at) => {
  state.at = at;
  list.mark(at);
  const row = state.list[at];
  byId("detail").scrollTop = 0;
  byId("detail").replaceChildren(...(row ? [showTest(row)].flat(Infinity).filter((part) => part) : [make("p", { class: "remark" }, rows.length === 0 ? "This run has no finished test." : "No test fits. Press a to show all tests.")]));
  try { history.replaceState(null, "", row ? `#test-${row.case}` : "#"); } catch { /* a page without an address has no place to keep it */ }
};

const refresh = (wanted) => {
  const before = wanted ?? state.list[state.at];
  state.list = rows.filter(matches).sort(ORDERS[state.order]);
  for (const button of byId("verdicts").children) {
    const { group } = button.dataset;
    button.setAttribute("aria-pressed", String(group === "all" ? state.groups.size === 0 : state.groups.has(group)));
  }
  byId("count").textContent = state.list.length === rows.length ? plural(rows.length, "test") : `${count(state.list.length)} of ${plural(rows.length, "test")}`;
  list.show(state.list);
  choose(state.list.length === 0 ? -1 : Math.max(wanted || state.words.length === 0 ? state.list.indexOf(before) : 0, 0));
};

const showAll = () => {
  state.groups.clear();
  Object.assign(state, { suite: "", words: [] });
  [byId("search").value, byId("suite").value] = ["", ""];
  refresh();
};

// Paper has no lists to scroll: the tests that are not simply green, as far as a reader would turn pages.
const PRINTED = 100;
const print = () => {
  const telling = state.list.filter((row) => row.group !== "passed").slice(0, PRINTED);
  const left = state.list.length - telling.length;
  byId("print").replaceChildren(
    make("h1", {}, byId("standing").textContent), make("p", {}, shown(head.run.note ?? "")), make("p", {}, [...byId("about").children].map((fact) => fact.textContent).join(" · ")),
    ...charts(rows), ...telling.map((row) => make("article", {}, showTest(row))), left > 0 ? make("p", {}, `${plural(left, "more test")}: see report.html or report.json.`) : "");
};

const wantedByAddress = () => { const found = /^#test-(\d+)$/.exec(location.hash); return found ? rows.find((row) => row.case === Number(found[1])) : undefined; };

summarize();
chartSummary();
choices();
refresh(wantedByAddress());
keys({ state, list, choose, refresh, showAll });
addEventListener("hashchange", () => { const row = wantedByAddress(); if (row) { if (!state.list.includes(row)) showAll(); choose(state.list.indexOf(row)); } });
addEventListener("beforeprint", print);
addEventListener("afterprint", () => byId("print").replaceChildren());
document.body.dataset.ready = "true";
