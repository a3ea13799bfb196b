// Opens reports in Chromium and reads them with other people's readers. Usage: node check.mjs FLOWPROOF SCREENSHOTS
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import axe from "axe-core";
import { parse } from "csv-parse/sync";
import { marked } from "marked";
import { chromium } from "playwright-core";
import { Parser } from "tap-parser";
import { comparisonChecks } from "./comparison.mjs";

const [flowproof, screenshots] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const LARGE = 10_000;

const run = (folder, exit) => {
  const ran = spawnSync(flowproof, ["run", "-q"], { cwd: folder, encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 28 });
  assert.equal(ran.status, exit, `${folder}: exit ${ran.status}\n${ran.error ?? ran.stderr.slice(-2000)}`);
  return join(folder, "reports/latest");
};

// A project of so many tests, each fiftieth red.
const large = (name, count) => {
  // A project of its own, not a part of the one above it.
  const folder = join(here, name);
  mkdirSync(join(folder, "suites/_data"), { recursive: true });
  const rows = Array.from({ length: count }, (_, n) => `row ${n},${n % 50 === 7 ? "a voucher" : "a refund"},${(n * 37) % 900}`);
  writeFileSync(join(folder, "suites/_data/rows.csv"), `id,reply,tokens\n${rows.join("\n")}\n`);
  writeFileSync(join(folder, "flowproof.yaml"), "version: 1\n");
  writeFileSync(join(folder, "suites/large.yaml"), `version: 1
name: Large
tests:
  - name: reply
    each: _data/rows.csv
    assert: [{ path: $.reply, equals: We send a refund. }, { status: succeeded }]
    mock:
      outputs: { reply: "We send {{ row.reply }}." }
      nodes: [{ title: Classify, type: llm, tokens: 20 }, { title: Answer, type: llm, tokens: "{{ row.tokens | int }}" }]
`);
  return run(folder, 100);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || undefined,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const checks = [];
const check = (name, test) => checks.push([name, test]);

// Opens a page that may ask nobody for anything and must not fail.
const open = async (file, { hash = "", ...options } = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(file).href;
  const asked = [];
  page.on("request", (request) => asked.push(request.url().split("#")[0]));
  page.on("pageerror", (error) => { throw error; });
  page.on("dialog", (dialog) => { throw new Error(`a dialog: ${dialog.message()}`); });
  const start = performance.now();
  await page.goto(address + hash);
  await page.waitForSelector("body[data-ready]", { timeout: 60_000, state: "attached" });
  const took = performance.now() - start;
  assert.deepEqual(asked, [address], "the page asks for nothing but itself");
  return { page, took, close: () => context.close() };
};
const text = (page, selector) => page.locator(selector).innerText();
const selected = (page) => text(page, '.row[aria-selected="true"] .name');
const shownRows = (page) => page.locator(".row").count();

const small = run(join(here, "."), 100);
const html = join(small, "report.html");

check("summary first, and the change of the first red test at once", async () => {
  const { page, close } = await open(html);
  assert.match(await text(page, "#standing"), /10 of 16 tests are red/);
  assert.equal(await text(page, "#note"), "on the mock: no live workflow was tested");
  for (const fact of ["target mock", "attempts 15", "flowproof "]) assert.ok((await text(page, "#about")).includes(fact), fact);
  assert.match(await selected(page), /refund is routed to billing/);
  assert.equal(await text(page, ".row:first-child .why"), '$.category: expected "billing", found "technical" (and 1 more)');
  const detail = page.locator("#detail");
  assert.deepEqual(await detail.locator("del.word").allInnerTexts(), ["refund", "14"]);
  assert.deepEqual(await detail.locator("ins.word").allInnerTexts(), ["voucher", "30"]);
  assert.match(await detail.innerText(), /suites\/every-kind\.yaml:9:9[^]*path: \$\.category, equals: billing/);
  const order = await page.locator(".row .sign").allInnerTexts();
  assert.equal(order.join("").replace(/(.)\1+/gu, "$1"), "✗!△–✓", "red first");
  await page.screenshot({ path: join(screenshots, "light.png") });
  await close();
});

check("JSON side by side, every digit kept", async () => {
  const { page, close } = await open(html, { colorScheme: "dark" });
  await page.keyboard.press("j");
  const rows = (await page.locator(".diff.json tbody tr").allInnerTexts()).map((row) => row.replace(/\s+/g, " "));
  assert.ok(rows.includes("$.id 9007199254740993 9007199254740992"), rows.join("\n"));
  assert.ok(rows.includes('$.address.zip "10115" nothing'), rows.join("\n"));
  assert.equal(await page.locator(".waterfall tbody tr").count(), 3);
  const color = (name) => page.evaluate((name) => getComputedStyle(document.body)[name], name);
  assert.equal(await color("backgroundColor"), "rgb(15, 19, 25)", "dark as the system says");
  await page.screenshot({ path: join(screenshots, "dark.png") });
  await page.keyboard.press("d");
  assert.equal(await color("backgroundColor"), "rgb(255, 255, 255)", "light as the reader chose");
  await close();
});

check("search and filters", async () => {
  const { page, close } = await open(html);
  await page.keyboard.press("/");
  await page.keyboard.type("KETTLE refund");
  assert.match(await text(page, "#count"), /^0 of 16/);
  assert.match(await text(page, "#detail"), /No test fits/);
  await page.fill("#search", "fine from");
  assert.equal(await text(page, "#count"), "4 of 16 tests");
  await page.fill("#search", "smoke");
  assert.equal(await text(page, "#count"), "1 of 16 tests", "tags are searched");
  await page.keyboard.press("Escape");
  assert.equal(await text(page, "#count"), "16 tests");
  await page.click('[data-group="errored"]');
  assert.equal(await text(page, "#count"), "1 of 16 tests");
  assert.match(await text(page, "#detail"), /HTTP 500[^]*look into the logs/);
  await page.click('[data-group="skipped"]');
  assert.equal(await text(page, "#count"), "2 of 16 tests");
  await page.click('[data-group="all"]');
  await page.selectOption("#suite", { index: 1 });
  const first = await text(page, "#count");
  await page.selectOption("#suite", { index: 2 });
  assert.equal(Number.parseInt(first, 10) + Number.parseInt(await text(page, "#count"), 10), 16);
  await page.selectOption("#suite", { index: 0 });
  await page.selectOption("#order", "Most tokens first");
  assert.match(await text(page, ".row:first-child .figures"), /1,730 tok/);
  await close();
});

check("by keyboard alone", async () => {
  const { page, close } = await open(html);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
  const first = await selected(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.match(await selected(page), /several lines/);
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  assert.equal(await selected(page), first, "k stops at the first");
  await page.keyboard.press("Shift+G");
  assert.equal(await page.locator('.row[aria-selected="true"]').getAttribute("aria-posinset"), "16");
  await page.keyboard.press("g");
  assert.equal(await selected(page), first);
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "detail");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "list");
  await page.keyboard.press("?");
  assert.ok(await page.locator("#keys").isVisible());
  await page.keyboard.press("j");
  assert.equal(await selected(page), first, "keys rest while the help is open");
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("#keys").isVisible()));
  await page.keyboard.press("/");
  await page.keyboard.type("jk?d");
  assert.equal(await page.inputValue("#search"), "jk?d", "what is typed is text");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "list");
  await page.keyboard.press("c");
  await page.locator(".charts svg").first().waitFor();
  assert.equal(await page.locator(".charts svg").count(), 2, "times and tokens; the mock named no price and no first token");
  await page.screenshot({ path: join(screenshots, "charts.png") });
  const address = page.url();
  await close();
  const again = await open(html, { hash: `#${address.split("#")[1].replace(/\d+/, "2")}` });
  assert.match(await selected(again.page), /several lines/, "an address names a test");
  await again.close();
});

check("hostile names and outputs are text", async () => {
  const { page, close } = await open(html);
  await page.fill("#search", "hostile");
  assert.equal(await text(page, "#count"), "5 of 16 tests");
  for (let at = 0; at < 5; at += 1) {
    assert.equal(await page.locator("#detail script, #detail img, #detail b, #tests script, #tests b").count(), 0);
    const wide = await page.evaluate(() => document.getElementById("detail").scrollWidth - document.getElementById("detail").clientWidth);
    assert.ok(wide <= 0, `nothing runs out of the page: ${wide} px`);
    if (at === 0) assert.match(await text(page, "#detail"), /<img src=x onerror='window\.harmed = 2'><!-- /);
    if (at === 1) {
      assert.match(await text(page, "#detail h2"), /\\u\{202e\}reversed/);
      assert.ok(!(await text(page, "#detail")).includes("\u202e"), "no text turns the others round");
      assert.match(await text(page, "#detail"), /مرحبا يا عالم[^]*👩‍👩‍👧‍👦 🇩🇪/);
      await page.screenshot({ path: join(screenshots, "right-to-left.png") });
    }
    if (at === 2) assert.ok((await text(page, "#detail")).length < 100_000, "a huge line is cut");
    await page.keyboard.press("Enter");
    await page.keyboard.press("j");
  }
  // Were there a way out of the data, the page's policy would still refuse what came out.
  const harmed = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.harmed = 3";
    document.body.append(script);
    return window.harmed;
  });
  assert.equal(harmed, undefined);
  await close();
});

check("paper", async () => {
  const { page, close } = await open(html);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#print article > h2").count(), 12, "all but what simply passed");
  assert.ok(!(await page.locator("#app").isVisible()));
  await page.screenshot({ path: join(screenshots, "print.png"), fullPage: true });
  await close();
});

check("for other eyes and hands (axe)", async () => {
  for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { viewport: { width: 420, height: 800 } }]) {
    const { page, close } = await open(html, { ...options, bypassCSP: true });
    await page.keyboard.press("c");
    await page.evaluate(axe.source);
    for (let at = 0; at < 12; at += 1) {
      const { violations } = await page.evaluate(() => axe.run(document, { rules: { region: { enabled: false } } }));
      const told = violations.map((one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 3).map((node) => `  ${node.html.slice(0, 200)}\n  ${node.failureSummary}`).join("\n")}`);
      assert.deepEqual(told, [], `${JSON.stringify(options)}, test ${at}`);
      await page.keyboard.press("j");
      await page.evaluate(() => document.querySelectorAll("#detail details").forEach((details) => { details.open = true; }));
    }
    if (options.viewport) await page.screenshot({ path: join(screenshots, "narrow.png") });
    await close();
  }
});

check(`${LARGE} tests`, async () => {
  const page10k = join(large("large", LARGE), "report.html");
  // The same bytes as one text that nothing reads: what the browser itself takes for a file of this size.
  const inert = join(here, "inert.html");
  const bytes = statSync(page10k).size;
  writeFileSync(inert, `<!doctype html><title>x</title><script type="text/plain">${"x".repeat(bytes)}</script><body data-ready>`);
  const [times, idle] = [[], []];
  for (let round = 0; round < 5; round += 1) {
    const blank = await open(inert);
    idle.push(blank.took);
    await blank.close();
    const one = await open(page10k);
    times.push(one.took);
    await one.close();
  }
  const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const [opened, floor] = [median(times), median(idle)];
  console.log(`  ${(bytes / 1e6).toFixed(1)} MB open in ${Math.round(opened)} ms; a page of as many idle bytes in ${Math.round(floor)} ms`);
  assert.ok(opened < 8 * floor + 200, `opening takes ${Math.round(opened)} ms, ${(opened / floor).toFixed(1)} times as long as idle bytes`);
  const { page, close } = await open(page10k);
  assert.match(await text(page, "#standing"), /200 of 10,000 tests are red/);
  assert.ok((await shownRows(page)) < 60, "rows are made as needed");
  const elements = await page.evaluate(() => document.querySelectorAll("body *:not(script)").length);
  assert.ok(elements < 1_500, `${elements} elements`);
  await page.keyboard.press("Shift+G");
  assert.equal(await page.locator('.row[aria-selected="true"]').getAttribute("aria-posinset"), "10000");
  assert.match(await text(page, "#detail"), /2 assertions held[^]*Classify/, "what passed has its assertions and nodes too");
  assert.ok((await shownRows(page)) < 60);
  // Every place of the list shows rows, wherever it is scrolled to.
  for (let part = 0; part <= 20; part += 1) {
    await page.evaluate((part) => { const list = document.querySelector(".list"); list.scrollTop = (list.scrollHeight * part) / 20; }, part);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seen = await page.evaluate(() => { const box = document.querySelector(".list").getBoundingClientRect(); return [box.top + 20, box.bottom - 20].map((y) => document.elementFromPoint(box.left + 40, y)?.closest(".row") !== null); });
    assert.deepEqual(seen, [true, true], `a gap at ${part}/20`);
  }
  await page.fill("#search", "row 7777");
  assert.equal(await text(page, "#count"), "1 of 10,000 tests");
  await page.fill("#search", "");
  await page.click('[data-group="failed"]');
  assert.equal(await text(page, "#count"), "200 of 10,000 tests");
  await page.screenshot({ path: join(screenshots, "large.png") });
  await close();
});

check("report.tap, by tap-parser", async () => {
  const results = await new Promise((done) => { const parser = new Parser(done); parser.end(readFileSync(join(small, "report.tap"), "utf8")); });
  assert.deepEqual([results.ok, results.count, results.pass, results.fail, results.skip, results.bailout], [false, 16, 6, 10, 1, false]);
  assert.deepEqual(results.failures.filter((failure) => failure.tapError), []);
  const broken = results.failures.find((failure) => failure.name.includes("refund is routed"));
  assert.equal(broken.diag.verdict, "failed");
  assert.match(broken.diag.explanation, /A \{\+voucher\+\} is on its way/);
  const reset = results.failures.find((failure) => failure.name.includes("window.harmed"));
  assert.match(reset.diag.message, /<img src=x/);
});

check("report.csv, by csv-parse", () => {
  const rows = parse(readFileSync(join(small, "report.csv")), { columns: true });
  assert.equal(rows.length, 16);
  assert.equal(rows.filter((row) => row.verdict === "failed").length, 9);
  for (const cell of rows.flatMap(Object.values)) assert.ok(!/^\s*[=+\-@|%]/.test(cell), cell);
  assert.ok(rows.some((row) => row.why.includes("=HYPERLINK")));
});

check("summary.md, by marked", async () => {
  const source = readFileSync(join(small, "summary.md"), "utf8");
  assert.ok(source.length <= 65_536);
  const { page, close } = await open(html);
  await page.setContent(marked.parse(source, { gfm: true }));
  assert.equal(await page.locator("details").count(), 11, "ten red tests and the skipped one");
  assert.equal(await page.locator("script, img, a, b, em, del").count(), 0, "nothing in it is live");
  assert.match(await page.locator("h2").first().innerText(), /10 of 16 tests are red/);
  assert.match(await page.locator("details summary").nth(3).innerText(), /a node that fails/);
  assert.match(await page.locator("blockquote").innerText(), /no live workflow was tested/);
  await close();
  const long = readFileSync(join(here, "large/reports/latest/summary.md"), "utf8");
  assert.ok(long.length <= 65_536 && long.length > 30_000, `${long.length} characters`);
  assert.match(long, /… \d+ more tests are red and left out here/);
});

comparisonChecks({ check, open, text, selected, shownRows, flowproof, here, screenshots, LARGE, axe });

let failed = 0;
for (const [name, test] of checks) {
  try {
    await test();
    console.log(`✓ ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`✗ ${name}\n${error.stack}`);
  }
}
await browser.close();
console.log(`${checks.length - failed} of ${checks.length} checks of report.html and compare.html passed; screenshots in ${screenshots}`);
process.exit(failed === 0 ? 0 : 1);
