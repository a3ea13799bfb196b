// Charts of all tests: how a number is spread, red tests apart.

const BINS = 32;

const ranked = (numbers) => Float64Array.from(numbers).sort();
// The smallest value that so large a share of all does not exceed (nearest rank).
const quantile = (sorted, share) => sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];

// One chart: bars from 0 to the largest value; the red share of a bar stands at its foot.
const histogram = (title, points, say) => {
  const sorted = ranked(points.map((point) => point.value));
  if (sorted.length === 0) return undefined;
  const most = sorted[sorted.length - 1];
  const width = most > 0 ? most / BINS : 1;
  const bins = Array.from({ length: BINS }, () => ({ all: 0, red: 0 }));
  for (const point of points) {
    const bin = bins[Math.min(Math.floor(point.value / width), BINS - 1)];
    bin.all += 1;
    bin.red += point.red ? 1 : 0;
  }
  const highest = Math.max(...bins.map((bin) => bin.all));
  const [w, h] = [320, 96];
  const step = w / BINS;
  const high = (number) => (number === 0 ? 0 : Math.max((number / highest) * (h - 4), 2));
  const bars = bins.map((bin, at) => {
    if (bin.all === 0) return undefined;
    const range = `${say(at * width)} to ${say((at + 1) * width)}: ${plural(bin.all, "test")}${bin.red ? `, ${count(bin.red)} red` : ""}`;
    const rect = (number, kind) => draw("rect", { class: kind, x: at * step + 0.5, y: h - high(number), width: step - 1, height: high(number) });
    return draw("g", {}, draw("title", {}, range), rect(bin.all, "bar good"), bin.red ? rect(bin.red, "bar bad") : undefined);
  });
  const at = (value) => (most > 0 ? Math.min((value / most) * w, w - 1) : 0);
  const line = (value) => draw("line", { class: "quantile", x1: at(value), x2: at(value), y1: 0, y2: h });
  const [median, p95] = [quantile(sorted, 0.5), quantile(sorted, 0.95)];
  const told = `median ${say(median)}, 95% at most ${say(p95)}, most ${say(most)}`;
  return make("figure", {}, make("figcaption", {}, make("strong", {}, title), ` ${told}`),
    draw("svg", { viewBox: `0 0 ${w} ${h + 1}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${told}` }, bars, line(median), line(p95), draw("line", { class: "axis", x1: 0, x2: w, y1: h + 0.5, y2: h + 0.5 })),
    make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, "0"), make("span", {}, say(most))));
};

const pointsOf = (rows, value) => rows.filter((row) => value(row) !== null && value(row) !== undefined).map((row) => ({ value: value(row), red: row.red }));

// The charts of a run: times, tokens, and the price in the currency that most tests have.
const charts = (rows) => {
  const currencies = new Map();
  for (const row of rows) for (const [currency] of row.cost) currencies.set(currency, (currencies.get(currency) ?? 0) + 1);
  const [currency] = [...currencies].sort((a, b) => b[1] - a[1])[0] ?? [];
  const price = (row) => { const found = row.cost.find(([name]) => name === currency); return found ? Number(found[1]) : null; };
  const money = (value) => `${value === 0 ? 0 : Number(value.toPrecision(2))} ${currency}`;
  return [
    histogram("Latency", pointsOf(rows, (row) => row.latency), duration),
    histogram("First token", pointsOf(rows, (row) => row.ttft), duration),
    histogram("Tokens", pointsOf(rows, (row) => row.tokens), (value) => count(Math.round(value))),
    currency === undefined ? undefined : histogram("Cost", pointsOf(rows, price), money),
  ].filter((chart) => chart !== undefined);
};
