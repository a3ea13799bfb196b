// Charts of pairs: each test is a point, the first side across, the second up; on the line nothing changed.

const pairChart = (title, points, say) => {
  if (points.length === 0) return undefined;
  const [w, h] = [320, 200];
  const most = Math.max(...points.map((point) => Math.max(point.a, point.b))) || 1;
  const x = (value) => (value / most) * (w - 8) + 4;
  const y = (value) => h - 4 - (value / most) * (h - 8);
  const more = points.filter((point) => point.b > point.a * 1.1).length;
  const less = points.filter((point) => point.b < point.a * 0.9).length;
  const told = `${plural(points.length, "test")}: ${count(more)} up by more than 10 %, ${count(less)} down by more than 10 %`;
  const dot = (point) => draw("circle", { class: `bar ${point.b > point.a * 1.1 ? "bad" : "good"}`, cx: x(point.a), cy: y(point.b), r: 2.5 }, draw("title", {}, `${plain(point.name)}: ${say(point.a)} → ${say(point.b)}`));
  return make("figure", {}, make("figcaption", {}, make("strong", {}, title), ` ${told}`),
    draw("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": `${title}: ${told}` }, draw("line", { class: "axis", x1: x(0), y1: y(0), x2: x(most), y2: y(most) }), points.map(dot)),
    make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, "A across, B up"), make("span", {}, say(most))));
};

// At most so many points are drawn: more of them hide each other.
const POINTS = 2000;

const pairCharts = (rows) => {
  const points = (key) => rows.filter((row) => row[key][0] !== null && row[key][1] !== null).slice(0, POINTS).map((row) => ({ name: row.name, a: row[key][0], b: row[key][1] }));
  return [
    pairChart("Tokens", points("tokens"), (value) => count(Math.round(value))),
    pairChart("Cost", points("cost"), (value) => String(Number(value.toPrecision(3)))),
    pairChart("Latency", points("latency"), duration),
  ].filter((chart) => chart !== undefined);
};
