// JSON values with every digit: numbers that JavaScript would round or write otherwise are kept as they were written.

const MARK = `n${Math.random().toString(36).slice(2)}:`;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// The end of the text that begins with the quote at `open`.
const closing = (json, open) => {
  let close = json.indexOf('"', open + 1);
  while (close >= 0) {
    let slashes = 0;
    while (json[close - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return close;
    close = json.indexOf('"', close + 1);
  }
  return json.length;
};

const keepDigits = (json) => {
  const parts = [];
  let at = 0;
  while (at < json.length) {
    const open = json.indexOf('"', at);
    const end = open < 0 ? json.length : open;
    parts.push(json.slice(at, end).replace(NUMBER, (digits) => (String(Number(digits)) === digits ? digits : `"${MARK}${digits}"`)));
    if (open < 0) break;
    const close = closing(json, open);
    parts.push(json.slice(open, close + 1));
    at = close + 1;
  }
  return parts.join("");
};

const isDigits = (value) => typeof value === "string" && value.startsWith(MARK);
const numberOf = (value) => (isDigits(value) ? Number(value.slice(MARK.length)) : value);
const parseExact = (json) => JSON.parse(keepDigits(json));

const scalar = (value) => (isDigits(value) ? value.slice(MARK.length) : JSON.stringify(value));

// A value as JSON, in lines where it has members.
const pretty = (value, indent = "") => {
  if (value === null || typeof value !== "object") return scalar(value);
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const members = list
    ? value.map((member) => inner + pretty(member, inner))
    : Object.entries(value).map(([key, member]) => `${inner}${JSON.stringify(key)}: ${pretty(member, inner)}`);
  if (members.length === 0) return list ? "[]" : "{}";
  return `${list ? "[" : "{"}\n${members.join(",\n")}\n${indent}${list ? "]" : "}"}`;
};

const oneLine = (value) => pretty(value).replace(/\n\s*/g, " ");

// A value in a box: a text of several lines as it is, all else as JSON.
const valueBox = (value, attributes = {}, most = 4000) => {
  const asText = typeof value === "string" && !isDigits(value) && value.includes("\n");
  return make("pre", { ...attributes, dir: "auto" }, longText(asText ? value : pretty(value), most));
};

// `$['a'][0]['b c']` as people write it: `$.a[0]['b c']`.
const shortPath = (path) => path.replace(/\['([A-Za-z_][A-Za-z0-9_]*)'\]/g, ".$1");
