// Differences side by side: what was expected on the left, what came on the right, changed words marked.

const DIFF_ROWS = 400;
// What the two sides are called.
const sides = { left: "Expected", right: "Found" };

// Rows of two cells: equal lines beside each other, and what was removed beside what was added.
const pairs = (lines) => {
  const rows = [];
  let [left, right] = [[], []];
  const flush = () => {
    for (let at = 0; at < Math.max(left.length, right.length); at += 1) rows.push([left[at], right[at]]);
    [left, right] = [[], []];
  };
  for (const line of lines) {
    if (line.side === "expected") left.push(line);
    else if (line.side === "actual") right.push(line);
    else {
      flush();
      rows.push([line, line]);
    }
  }
  flush();
  return rows;
};

// What only one side has: tabs, and a blank at the end of the line, are named too.
const changedText = (text, isLast) => {
  const end = isLast && text.endsWith(" ") ? [mark("\\u{20}", "a blank at the end")] : [];
  const parts = (end.length > 0 ? text.slice(0, -1) : text).split("\t");
  return [parts.map((part, at) => [at > 0 ? mark("\\t", "a tab") : "", longText(part, 2000)]), end];
};

const diffCell = (line, side) => {
  if (!line) return make("td", { class: "none" });
  if (line.side === "same") return make("td", { dir: "auto" }, line.pieces.map((piece) => longText(piece.text, 2000)));
  const whole = line.pieces.every((piece) => piece.changed);
  const tag = side === "expected" ? "del" : "ins";
  const word = (piece, at) => (piece.changed ? make(tag, { class: whole ? "whole" : "word" }, changedText(piece.text, at === line.pieces.length - 1)) : longText(piece.text, 2000));
  return make("td", { class: side, dir: "auto" }, line.pieces.map(word));
};

const diffHead = (...before) => make("thead", {}, make("tr", {}, before.map((word) => make("th", { scope: "col", class: "path" }, word)), make("th", { scope: "col" }, sides.left), make("th", { scope: "col" }, sides.right)));

const textDiff = (diff) => {
  const body = make("tbody");
  const row = ([left, right]) => make("tr", {}, diffCell(left, "expected"), diffCell(right, "actual"));
  const table = make("table", { class: "diff" }, diffHead(), body);
  const rest = make("div");
  const rows = pairs(diff.lines);
  some(body, rows, DIFF_ROWS, row, "lines");
  const button = body.querySelector(":scope > button");
  if (button) rest.append(button);
  return [table, rest, diff.cut ? make("p", { class: "faint" }, "Only the first MiB was compared.") : undefined];
};

const absent = (word) => make("span", { class: "faint" }, word);

const changeRow = (change) => {
  const path = make("th", { scope: "row", class: "path" }, shown(shortPath(change.path)));
  if (change.kind === "moved") {
    const from = change.from ? shortPath(change.from) : "elsewhere";
    return make("tr", {}, path, make("td", { colspan: 2 }, `moved here from ${plain(from)}`));
  }
  const lines = change.text ? pairs(change.text.lines) : [];
  if (change.kind === "changed" && lines.length > 0) {
    const side = (which) => make("td", { class: which, dir: "auto" }, lines.map((pair) => {
      const line = pair[which === "expected" ? 0 : 1];
      return make("div", { class: line && line.side === "same" ? "same" : undefined }, line ? [...diffCell(line, which).childNodes] : "\u00a0");
    }));
    return make("tr", {}, path, side("expected"), side("actual"));
  }
  const cell = (which, has) => (has
    ? make("td", { class: which, dir: "auto" }, make(which === "expected" ? "del" : "ins", { class: "whole" }, longText(pretty(change[which]), 4000)))
    : make("td", {}, absent("nothing")));
  return make("tr", {}, path, cell("expected", change.kind !== "added"), cell("actual", change.kind !== "removed"));
};

const jsonDiff = (changes) => {
  const body = make("tbody");
  some(body, changes, DIFF_ROWS, changeRow, "changes");
  const button = body.querySelector(":scope > button");
  return [make("table", { class: "diff json" }, diffHead("Where"), body), button];
};

const isEmptyDiff = (diff) => !diff || (diff.text ? diff.text.lines.length === 0 : diff.json.length === 0);
const showDiff = (diff) => (diff.text ? textDiff(diff.text) : jsonDiff(diff.json));
