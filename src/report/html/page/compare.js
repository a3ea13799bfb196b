// The page of a comparison: what decided, filters, list, and both sides of the selected test.

const { head, columns } = JSON.parse(byId("head").textContent);
const KINDS = ["regressed", "not_compared", "one_sided", "improved", "changed", "undecided", "unchanged"];
const KIND_WORDS = { regressed: "regressed", not_compared: "not compared", one_sided: "on one side only", improved: "improved", changed: "changed", undecided: "undecided", unchanged: "unchanged" };
const KIND_SIGNS = { regressed: "✗", not_compared: "?", one_sided: "!", improved: "✓", changed: "~", undecided: "≈", unchanged: "=" };
// The looks of a run's page, by what they mean.
const LOOKS = { regressed: "failed", not_compared: "inconclusive", one_sided: "skipped", improved: "passed", changed: "warned", undecided: "inconclusive", unchanged: "skipped" };
[sides.left, sides.right] = ["A", "B"];

const rows = JSON.parse(byId("rows").textContent).map((parts, at) => {
  const row = { at };
  columns.forEach((name, place) => { row[name] = parts[place]; });
  return row;
});

const ratio = (key) => (row) => (row[key][0] > 0 && row[key][1] !== null ? row[key][1] / row[key][0] : 0);
const most = (value) => (one, other) => value(other) - value(one) || one.at - other.at;
const ORDERS = {
  "Worst first": (one, other) => one.at - other.at,
  "By name": (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0),
  "Least alike first": (one, other) => (one.similarity ?? 2) - (other.similarity ?? 2) || one.at - other.at,
  "Most more tokens first": most(ratio("tokens")),
  "Most more time first": most(ratio("latency")),
};
const state = { kinds: new Set(), order: "Worst first", words: [], list: [], at: -1 };

const summarize = () => {
  const light = head.verdict === "holds" ? "green" : head.verdict === "undecided" ? "grey" : "red";
  document.body.dataset.light = light;
  byId("standing").replaceChildren(make("span", { "aria-hidden": "true" }, { green: "✓", red: "✗", grey: "?" }[light]), " ", ...shown(head.reason));
  document.title = `${plain(head.reason)} · flowproof compare`;
  if (head.notes.length > 0) {
    byId("note").replaceChildren(...shown(head.notes.join(" · ")));
    byId("note").hidden = false;
  }
  const facts = [["A", head.a.told], ["B", head.b.told], ["seed", head.seed], ["flowproof", head.flowproof]];
  byId("about").replaceChildren(...facts.map(([name, value]) => make("span", {}, make("b", {}, name), " ", shown(value))));
  const told = [...head.gates.map((gate) => `gate ${gate.decision}: ${gate.told}`), ...head.changes.map((change) => change.told), ...head.remarks];
  if (told.length > 0) {
    byId("more").hidden = false;
    byId("more").querySelector("summary").replaceChildren(...shown(told.length === 1 ? told[0] : `${told[0]} … and ${count(told.length - 1)} more`));
    byId("more").querySelector("ul").replaceChildren(...told.map((line) => make("li", {}, shown(line))));
  }
  byId("charts").addEventListener("toggle", () => {
    const box = byId("charts").querySelector(".charts");
    if (byId("charts").open && box.childElementCount === 0) box.append(...pairCharts(rows));
  });
};

const choices = () => {
  const counts = new Map(KINDS.map((kind) => [kind, 0]));
  for (const row of rows) counts.set(row.kind, counts.get(row.kind) + 1);
  const toggle = (kind) => () => {
    if (kind === "all") state.kinds.clear();
    else if (!state.kinds.delete(kind)) state.kinds.add(kind);
    refresh();
  };
  const button = (kind, number) => make("button", { type: "button", class: `verdict ${LOOKS[kind] ?? "all"}`, "data-group": kind, "aria-pressed": "false", click: toggle(kind) }, kind === "all" ? "" : `${KIND_SIGNS[kind]} `, `${KIND_WORDS[kind] ?? "all"} ${count(number)}`);
  byId("verdicts").append(button("all", rows.length), ...KINDS.filter((kind) => counts.get(kind) > 0).map((kind) => button(kind, counts.get(kind))));
  byId("order").append(...Object.keys(ORDERS).map((order) => make("option", { value: order }, order)));
  byId("order").addEventListener("change", () => { state.order = byId("order").value; refresh(); });
  byId("search").addEventListener("input", () => { state.words = byId("search").value.toLowerCase().split(/\s+/).filter((word) => word !== ""); refresh(); });
};

const matches = (row) => {
  if (state.kinds.size > 0 && !state.kinds.has(row.kind)) return false;
  if (state.words.length === 0) return true;
  row.hay ??= `${row.name}\n${KIND_WORDS[row.kind]}\n${row.verdicts}`.toLowerCase();
  return state.words.every((word) => row.hay.includes(word));
};

const rowElement = (row) => make("div", { class: `row ${LOOKS[row.kind]}` },
  make("span", { class: "sign", role: "img", "aria-label": KIND_WORDS[row.kind] }, KIND_SIGNS[row.kind]),
  make("span", { class: "name" }, make("bdi", {}, plain(row.name).slice(0, 400))),
  make("span", { class: "figures" }, row.similarity === null ? "" : `${Math.floor(row.similarity * 1000 + 1e-9) / 10} % alike`),
  make("span", { class: "why" }, [row.verdicts, row.outputs, row.figures].filter((text) => text).join(" · ").slice(0, 400)));

const list = virtualList(byId("tests"), { label: "Tests, worst first", render: rowElement, select: (at) => choose(at) });

const signed = (value, unit) => (value === null || value === undefined ? "" : `${value > 0 ? "+" : value < 0 ? "−" : "±"}${count(Math.abs(Math.round(value)))}${unit}`);
const PRESENCE = { both: "", gone: "only in A", new: "only in B" };

const nodeTable = (found) => {
  if (found.nodes.length === 0) return undefined;
  const row = (node, at) => make("tr", {},
    make("th", { scope: "row" }, at === found.first_changed ? make("span", { class: "tag bad" }, "first to differ") : undefined, " ", make("bdi", {}, shown(node.title)), " ", make("span", { class: "faint" }, shown(node.type), node.renamed ? [", now ", shown(node.renamed)] : "")),
    make("td", {}, PRESENCE[node.presence] || { same: "same output", changed: "other output", unknown: "" }[node.outputs]),
    make("td", { class: "number" }, signed(numberOf(node.tokens), "")), make("td", { class: "number" }, node.cost ?? ""), make("td", { class: "number" }, signed(numberOf(node.elapsed_ms), " ms")));
  const body = make("tbody");
  let at = 0;
  some(body, found.nodes, 200, (node) => row(node, at++), "nodes");
  const orders = [...found.reordered.map((pair) => ["In another order: ", pair]), ...found.regrouped.map((pair) => ["At the same time on one side only: ", pair])].slice(0, 50).map(([word, [one, other]]) => make("p", { class: "remark" }, word, shown(found.nodes[one].title), " and ", shown(found.nodes[other].title)));
  return make("section", {}, make("h3", {}, "What changed, node by node"), make("table", {}, make("thead", {}, make("tr", {}, ["Node", "Output", "Tokens", "Cost", "Time"].map((word) => make("th", { scope: "col" }, word)))), body), orders);
};

const sideTable = (test) => {
  const facts = [["verdict", (side) => side.verdict], ["attempts", (side) => count(scalar(side.attempts))], ["tokens", (side) => known(side.means.tokens, (value) => count(Math.round(value)))], ["cost", (side) => known(side.means.cost, (value) => `${Number(value.toPrecision(3))} ${side.currency ?? ""}`)], ["latency", (side) => known(side.means.latency_ms, duration)], ["first token", (side) => known(side.means.ttft_ms, duration)], ["steps", (side) => known(side.means.steps, (value) => String(value))]];
  const cell = (side, say) => make("td", {}, side ? say(side) : absent("nothing"));
  return make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Mean of the repeats"), make("th", { scope: "col" }, "A"), make("th", { scope: "col" }, "B"))), make("tbody", {}, facts.map(([name, say]) => make("tr", {}, make("th", { scope: "row" }, name), cell(test.a, say), cell(test.b, say)))));
};
const known = (value, say) => (value === null || value === undefined ? "" : say(numberOf(value)));

const waterfalls = (detail) => {
  const end = (nodes) => Math.max(0, ...nodes.map(nodeEnd));
  const longest = Math.max(end(detail.a_path), end(detail.b_path));
  return [["A", detail.a_path], ["B", detail.b_path]].map(([side, nodes]) => (nodes.length === 0 ? undefined : make("section", {}, make("h3", {}, `${side} in time`), waterfall(nodes, longest))));
};

const showTest = (row) => {
  setAlike(row.alike);
  const own = byId(`case-${row.at}`);
  const title = [make("h2", {}, make("span", { class: `badge ${LOOKS[row.kind]}` }, KIND_WORDS[row.kind]), " ", make("bdi", {}, shown(row.name))), make("p", { class: "place" }, shown([row.verdicts, row.outputs].filter((text) => text).join(" · ")))];
  if (!own) return [...title, make("p", {}, shown(row.figures)), make("p", { class: "remark" }, row.kind === "unchanged" ? "Nothing differs." : row.kind === "one_sided" ? "Only one side has it." : "Its details were left out to keep this page small: compare.json has them.")];
  const test = parseExact(own.textContent);
  const { detail } = test;
  if (!detail) return [...title, sideTable(test)];
  const reasons = [["A", detail.a_reason], ["B", detail.b_reason]].filter(([, reason]) => reason).map(([side, reason]) => make("div", { class: "cause", dir: "auto" }, make("p", {}, make("b", {}, side), " ", longText(reason, 4000))));
  const difference = detail.changes.length > 0 ? make("section", {}, make("h3", {}, "Outputs"), jsonDiff(detail.changes)) : detail.beyond ? make("p", { class: "remark" }, "The outputs differ only beyond what is recorded of them.") : undefined;
  return [...title, ...reasons, difference, nodeTable(detail.nodes), make("section", {}, make("h3", {}, "Figures"), sideTable(test)), waterfalls(detail)];
};

const choose = (at) => {
  state.at = at;
  list.mark(at);
  const row = state.list[at];
  byId("detail").scrollTop = 0;
  byId("detail").replaceChildren(...(row ? showTest(row).flat(Infinity).filter((part) => part) : [make("p", { class: "remark" }, rows.length === 0 ? "There is no test." : "No test fits. Press a to show all tests.")]));
};

const refresh = () => {
  const before = state.list[state.at];
  state.list = rows.filter(matches).sort(ORDERS[state.order]);
  for (const button of byId("verdicts").children) button.setAttribute("aria-pressed", String(button.dataset.group === "all" ? state.kinds.size === 0 : state.kinds.has(button.dataset.group)));
  byId("count").textContent = state.list.length === rows.length ? plural(rows.length, "test") : `${count(state.list.length)} of ${plural(rows.length, "test")}`;
  list.show(state.list);
  choose(state.list.length === 0 ? -1 : Math.max(state.words.length === 0 ? state.list.indexOf(before) : 0, 0));
};

const showAll = () => {
  state.kinds.clear();
  state.words = [];
  byId("search").value = "";
  refresh();
};

// Paper has no lists to scroll: the tests that differ, as far as a reader would turn pages.
const PRINTED = 100;
addEventListener("beforeprint", () => {
  const telling = state.list.filter((row) => row.kind !== "unchanged").slice(0, PRINTED);
  const left = state.list.length - telling.length;
  byId("print").replaceChildren(make("h1", {}, byId("standing").textContent), make("p", {}, [...byId("about").children].map((fact) => fact.textContent).join(" · ")), ...pairCharts(rows), ...telling.map((row) => make("article", {}, ...showTest(row).flat(Infinity).filter((part) => part))), left > 0 ? make("p", {}, `${plural(left, "more test")}: see compare.html or compare.json.`) : "");
});
addEventListener("afterprint", () => byId("print").replaceChildren());

summarize();
choices();
refresh();
keys({ state, list, choose, refresh, showAll });
document.body.dataset.ready = "true";
