// One assertion: whether it held, where it is written, and what was expected and found.

const SIGNS = { held: "✓", broken: "✗", undecided: "?" };
const WORDS = { held: "held", broken: "broken", undecided: "undecided" };

const placeText = (place) => (place.line > 0 ? `${place.file}:${place.line}:${place.column}` : place.file);

// The source line, the assertion in it marked.
const sourceLine = (place) => {
  if (place.line === 0 || place.excerpt.trim() === "") return undefined;
  const letters = [...place.excerpt];
  const from = Math.max(place.column - 1, 0);
  const to = Math.min(from + Math.max(place.width, 1), letters.length);
  const part = (start, end) => shown(letters.slice(start, end).join(""));
  // An assertion that begins its line needs no mark.
  const marked = from < letters.length && letters.slice(0, from).some((letter) => !" \t-".includes(letter));
  const line = marked ? [part(0, from), make("mark", {}, part(from, to)), part(to)] : [part(0)];
  return make("pre", { class: "source" }, make("span", { class: "faint" }, `${place.line} | `), line);
};

// True where a difference says the same as the message, and more.
const onlyCompares = (message) => /^expected [^]* found [^]*$/.test(message);

const values = (finding) => {
  const box = (title, key) => (key in finding ? make("div", {}, make("h4", {}, title), valueBox(finding[key], {}, 1500)) : undefined);
  return make("div", { class: "sides" }, box("Expected", "expected"), box("Found", "actual"));
};

const showFinding = (finding, said) => {
  const { truth, severity, place } = finding;
  const different = !isEmptyDiff(finding.diff);
  const message = finding.message && finding.message !== said && !(different && onlyCompares(finding.message)) ? finding.message : "";
  const warning = severity === "warn" && truth !== "held";
  const head = make("h3", {}, make("span", { class: `sign ${truth}`, role: "img", "aria-label": WORDS[truth] }, SIGNS[truth]), " ", make("bdi", {}, longText(finding.label, 400)),
    warning ? make("span", { class: "tag" }, "warning") : undefined, truth === "undecided" ? make("span", { class: "tag" }, "undecided") : undefined);
  const body = [make("p", { class: "place" }, shown(placeText(place))), sourceLine(place)];
  if (message) body.push(make("p", { class: "message", dir: "auto" }, longText(message, 4000)));
  // A message that is not cut has both values in full.
  const wanting = message === "" || message.includes("…");
  const hasValues = "expected" in finding || "actual" in finding;
  if (truth !== "held" && different) {
    body.push(...showDiff(finding.diff));
    if (hasValues) body.push(make("details", {}, make("summary", {}, "Both values as a whole"), values(finding)));
  } else if (truth !== "held" && hasValues && wanting) body.push(values(finding));
  const members = (finding.members ?? []).map((member) => showFinding(member, said));
  return make("article", { class: `finding ${truth}` }, head, body, members);
};

// Those that do not hold first; those that hold are folded away where something does not.
const showFindings = (attempt) => {
  const said = attempt.cause?.message;
  const findings = attempt.findings ?? [];
  const unjudged = said ? findings.filter((finding) => finding.truth === "undecided" && finding.message === said && !(finding.members ?? []).length) : [];
  const open = findings.filter((finding) => finding.truth !== "held" && !unjudged.includes(finding));
  const rank = (finding) => (finding.label === head.implied ? -4 : 0) + (finding.severity === "error" ? 0 : 2) + (finding.truth === "broken" ? 0 : 1);
  open.sort((a, b) => rank(a) - rank(b));
  const held = findings.filter((finding) => finding.truth === "held");
  const folded = (list, title, wide) => (list.length === 0 ? undefined
    : make("details", { open: wide }, make("summary", {}, title), some(make("div"), list, 200, (finding) => showFinding(finding, said), "assertions")));
  const isAre = (list, word) => `${plural(list.length, "assertion")} ${word}`;
  return [
    some(make("div"), open, 50, (finding) => showFinding(finding, said), "assertions"),
    folded(held, isAre(held, "held"), open.length === 0 && held.length <= 20),
    folded(unjudged, isAre(unjudged, "not judged for this reason"), false),
  ];
};
