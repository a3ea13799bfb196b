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

// Control characters, turns of the writing direction, characters without width, odd blanks: an eye would not see them. What
// belongs to an emoji, a flag or a variant of a letter stays; `src/base/visible` says the same of the other documents.
const HIDDEN = new RegExp([
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200c\\u200e\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3164\\ufdd0-\\ufdef\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e001f}\\u{e0080}-\\u{e00ff}\\u{e01f0}-\\u{e0fff}]",
  "\\p{Cs}",
  "(?<!\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]{0,2})\\u200d", "\\u200d(?!\\p{Extended_Pictographic})",
  "(?<![\\p{Extended_Pictographic}\\d#*])[\\ufe0e\\ufe0f]", "(?<=[\\d#*])[\\ufe0e\\ufe0f](?!\\u20e3)",
  "(?<![\\p{Script=Han}\\p{So}\\p{Sm}])[\\ufe00-\\ufe0d\\u{e0100}-\\u{e01ef}]",
  "(?<!\\u{1f3f4}[\\u{e0020}-\\u{e007e}]{0,7})[\\u{e0020}-\\u{e007f}]",
].join("|"), "u");
const HIDDEN_ALL = new RegExp(`(${HIDDEN.source})`, "u");

const named = (c) => ({ "\r": "\\r", "\t": "\\t" }[c] ?? `\\u{${c.codePointAt(0).toString(16)}}`);
const mark = (name, title) => make("span", { class: "hidden-character", title }, name);

// The words of the test that is shown which look like others of it and are not them, with their letters named.
let alike = { names: {}, words: undefined };
const setAlike = (names) => {
  const words = Object.keys(names ?? {}).map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  // Where a script has blanks between words, a word ends where its letters do.
  const bounded = (word) => (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|^\P{L}+$/u.test(word) ? word : `(?<![\\p{L}\\p{M}\\p{N}])${word}(?![\\p{L}\\p{M}\\p{N}])`);
  alike = { names: names ?? {}, words: words.length === 0 ? undefined : new RegExp(`(${words.sort((one, other) => other.length - one.length).map(bounded).join("|")})`, "u") };
};
const withNames = (text, say) => (alike.words ? text.split(alike.words).map((part, at) => (at % 2 === 1 ? say(alike.names[part]) : part)) : [text]);

// A text as nodes in which hidden characters are named, and words that look like others.
const shown = (text) => {
  const whole = String(text);
  const parts = HIDDEN.test(whole) ? whole.split(HIDDEN_ALL) : [whole];
  return parts.flatMap((part, at) => (at % 2 === 1 ? [mark(named(part), "a character that cannot be seen")] : withNames(part, (name) => mark(name, "it looks like another word and is not the same"))));
};

// A text as one line without nodes, for names and attributes.
const plain = (text) => String(text).split(HIDDEN_ALL).map((part, at) => (at % 2 === 1 ? named(part) : part)).join("");

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
