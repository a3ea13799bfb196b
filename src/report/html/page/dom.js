// Elements made of text only: nothing that a workflow said is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
};
const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Control characters, turns of the writing direction and characters without width: an eye would not see them.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const HIDDEN_ALL = new RegExp(`(${HIDDEN.source})`);

const named = (c) => (c === "\r" ? "\\r" : `\\u{${c.codePointAt(0).toString(16)}}`);

// A text as nodes in which hidden characters are named.
const shown = (text) => {
  const whole = String(text);
  if (!HIDDEN.test(whole)) return [whole];
  return whole.split(HIDDEN_ALL).map((part) => (part.length === 1 && HIDDEN.test(part) ? make("span", { class: "hidden-character", title: "a character that cannot be seen" }, named(part)) : part));
};

// A text as one line without nodes, for names and attributes.
const plain = (text) => String(text).split(HIDDEN_ALL).map((part) => (part.length === 1 && HIDDEN.test(part) ? named(part) : part)).join("");

const LONG = 20000;

// A text of any length: the end of a very long one waits behind a button.
const longText = (text, most = LONG) => {
  const whole = String(text);
  if (whole.length <= most) return shown(whole);
  const rest = make("button", { type: "button", class: "rest", click: () => rest.replaceWith(...shown(whole.slice(most))) }, `… show ${count(whole.length - most)} more characters`);
  return [...shown(whole.slice(0, most)), rest];
};

// So many of many things; the others wait behind a button.
const some = (parent, things, most, render, word) => {
  const add = (from, to) => { for (const thing of things.slice(from, to)) parent.append(render(thing)); };
  add(0, most);
  if (things.length <= most) return parent;
  const rest = make("button", { type: "button", class: "rest", click: () => { rest.remove(); add(most, things.length); } }, `show ${count(things.length - most)} more ${word}`);
  parent.append(rest);
  return parent;
};

const count = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const duration = (ms) => {
  if (ms === null || ms === undefined) return "";
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
};
