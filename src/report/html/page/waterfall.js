// The nodes of a run in time: a row each, from the request's sending on.

const NODE_ROWS = 200;

// Where a node ended, by the clock that says where it began; records of older versions know Dify's own time alone.
const nodeEnd = (node) => {
  const start = Math.max(numberOf(node.start_ms) || 0, 0);
  return node.end_ms === undefined || node.end_ms === null ? start + (numberOf(node.elapsed_ms) || 0) : Math.max(numberOf(node.end_ms), start);
};

const waterfall = (nodes, latency) => {
  if (!nodes || nodes.length === 0) return undefined;
  const start = (node) => Math.max(numberOf(node.start_ms) || 0, 0);
  const end = nodeEnd;
  const total = Math.max(1, numberOf(latency) || 0, ...nodes.slice(0, 5000).map(end));
  const row = (node) => {
    const from = (start(node) / total) * 1000;
    const known = node.elapsed_ms !== undefined && node.elapsed_ms !== null;
    const ended = known || (node.end_ms !== undefined && node.end_ms !== null);
    const width = ended ? Math.max(((end(node) - start(node)) / total) * 1000, 4) : 1000 - from;
    const state = node.status === "succeeded" ? "good" : ended ? "bad" : "open";
    const bar = draw("svg", { viewBox: "0 0 1000 14", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { class: `bar ${state}`, x: Math.min(from, 996), y: 2, width: Math.min(width, 1000 - Math.min(from, 996)), height: 10, rx: 2 }));
    const status = node.status === "succeeded" ? "" : node.status;
    return make("tr", {},
      make("th", { scope: "row", class: node.container ? "container" : undefined }, make("bdi", {}, shown(node.title)), " ", make("span", { class: "faint" }, shown(node.type)), status ? make("span", { class: "tag bad" }, shown(status)) : undefined),
      make("td", { class: "time" }, bar),
      make("td", { class: "number" }, known ? duration(numberOf(node.elapsed_ms)) : ended ? "" : "not ended"),
      make("td", { class: "number" }, node.tokens ? `${count(scalar(node.tokens))}` : ""));
  };
  const body = make("tbody");
  some(body, nodes, NODE_ROWS, row, "nodes");
  const button = body.querySelector(":scope > button");
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Node"), make("th", { scope: "col" }, make("span", { class: "axis" }, make("span", {}, "0"), make("span", {}, duration(total)))), make("th", { scope: "col", class: "number" }, "Time"), make("th", { scope: "col", class: "number" }, "Tokens")));
  return make("section", { class: "waterfall" }, make("h3", {}, `Nodes (${count(nodes.length)})`), make("table", {}, head, body), button);
};
