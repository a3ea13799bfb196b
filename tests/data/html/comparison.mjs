// Opens compare.html: two recorded runs of one small suite that differ in every way, and two of many tests.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const huge = (word) => `{{ 'word and another ' * 4000 }}${word}{{ ' word and another' * 4000 }}`;

// Each test by name, with what it gives on A and on B; it passes unless it gives "bad". Null: it is not there.
const SMALL = [
  ["refund", "Your refund of 14 days is on its way.", "Your voucher of 30 days is on its way."],
  ["breaks", "fine", "bad"],
  ["mends", "bad", "fine again"],
  ["stays", "the very same", "the very same"],
  ["goes", "only once", null],
  ["</script><script>window.harmed = 1</script>", "harmless", "</script><script>window.harmed = 2</script><img src=x onerror='window.harmed = 3'><!-- "],
  ["\\u202Ereversed", "مرحبا يا عالم", "مرحبا بالعالم \\u202Egnp.exe 👩‍👩‍👧‍👦 🇩🇪"],
  ["huge", huge("before"), huge("after")],
];

const suiteOf = (side) => {
  const tests = SMALL.filter((test) => test[side] !== null).map(
    ([name, ...given]) => `  - name: "${name}"
    assert: [{ path: $.reply, not: { equals: bad } }, { status: succeeded }]
    mock:
      outputs: { reply: "${given[side - 1]}", count: ${name === "refund" ? 9007199254740990 + side : 1} }
      nodes: [{ title: Classify, type: llm, tokens: 20 }, { title: Answer, type: llm, tokens: ${name === "stays" ? 40 : side * 40} }]
`,
  );
  return `version: 1\nname: Drift\ntests:\n${tests.join("")}`;
};

const largeOf = (side, count) => ({
  rows: `id,reply,tokens\n${Array.from({ length: count }, (_, n) => `row ${n},${side === 2 && n % 50 === 7 ? "a voucher" : "a refund"},${(n * 37) % 900}`).join("\n")}\n`,
  suite: `version: 1
name: Large
tests:
  - name: reply
    each: _data/rows.csv
    assert: [{ status: succeeded }]
    mock:
      outputs: { reply: "We send {{ row.reply }} for {{ row.id }}." }
      nodes: [{ title: Answer, type: llm, tokens: "{{ row.tokens | int }}" }]
`,
});

export const comparisonChecks = ({ check, open, text, selected, shownRows, flowproof, here, screenshots, LARGE, axe }) => {
  const call = (folder, words, codes) => {
    const ran = spawnSync(flowproof, words, { cwd: folder, encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 28 });
    assert.ok(codes.includes(ran.status), `flowproof ${words.join(" ")}: exit ${ran.status}\n${ran.error ?? ran.stderr.slice(-2000)}`);
  };
  // Records both sides and compares them; the page of the comparison.
  const compared = (name, files, code) => {
    const folder = join(here, name);
    mkdirSync(join(folder, "suites/_data"), { recursive: true });
    writeFileSync(join(folder, "flowproof.yaml"), "version: 1\n");
    for (const [side, to] of [[1, "a.jsonl"], [2, "b.jsonl"]]) {
      for (const [file, words] of Object.entries(files(side))) writeFileSync(join(folder, "suites", file), words);
      call(folder, ["run", "-q"], [0, 100]);
      call(folder, ["runs", "export", "latest", "-o", to], [0]);
    }
    call(folder, ["compare", "a.jsonl", "b.jsonl"], [code]);
    return join(folder, "reports/compare/compare.html");
  };
  const html = compared("drift", (side) => ({ "drift.yaml": suiteOf(side) }), 100);
  const kinds = (page) => page.locator(".row .sign").allInnerTexts();

  check("a comparison: what decided first, then the worst test with its words side by side", async () => {
    const { page, close } = await open(html);
    assert.match(await text(page, "#standing"), /1 test red on B and not on A: `Drift::breaks`/);
    assert.match(await selected(page), /breaks/);
    assert.equal((await kinds(page))[0], "✗");
    await page.fill("#search", "refund");
    assert.equal(await text(page, "#count"), "1 of 8 tests");
    assert.deepEqual(await page.locator("#detail del.word").allInnerTexts(), ["refund", "14"]);
    assert.deepEqual(await page.locator("#detail ins.word").allInnerTexts(), ["voucher", "30"]);
    const told = (await text(page, "#detail")).replace(/\s+/g, " ");
    assert.match(told, /9007199254740991 9007199254740992/, "every digit is kept");
    assert.match(told, /Answer llm first to differ|first to differ/);
    assert.equal(await page.locator("#detail .waterfall").count(), 2, "one waterfall a side");
    await page.screenshot({ path: join(screenshots, "compare.png") });
    await close();
  });

  check("a comparison: filters, orders and keys", async () => {
    const { page, close } = await open(html, { colorScheme: "dark" });
    const groups = await page.locator("#verdicts button").evaluateAll((all) => all.map((one) => one.dataset.group));
    assert.deepEqual(groups, ["all", "regressed", "one_sided", "improved", "changed", "unchanged"]);
    let all = 0;
    for (const group of groups.slice(1)) {
      await page.click(`[data-group="${group}"]`);
      all += await shownRows(page);
      await page.keyboard.press("a");
    }
    assert.equal(all, 8, "each test is of one kind");
    await page.selectOption("#order", "By name");
    // A name that turns the text round is shown otherwise than it is sorted.
    const names = (await page.locator(".row .name").allInnerTexts()).filter((name) => !name.includes("202e"));
    assert.equal(names.length, 7);
    assert.deepEqual([...names].sort(), names);
    await page.selectOption("#order", "Worst first");
    await page.keyboard.press("Shift+G");
    assert.match(await selected(page), /stays/);
    assert.match(await text(page, "#detail"), /same outputs/);
    assert.equal(await page.locator("#detail .diff, #detail del.word, #detail ins.word").count(), 0);
    await page.keyboard.press("g");
    assert.match(await selected(page), /breaks/);
    await page.keyboard.press("c");
    await page.locator(".charts svg").first().waitFor();
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await background(), "rgb(15, 19, 25)", "dark as the system says");
    await page.screenshot({ path: join(screenshots, "compare-dark.png") });
    await page.keyboard.press("d");
    assert.equal(await background(), "rgb(255, 255, 255)");
    await close();
  });

  check("a comparison: hostile names and outputs are text", async () => {
    const { page, close } = await open(html);
    for (let at = 0; at < 8; at += 1) {
      assert.equal(await page.locator("#detail script, #detail img, #tests script").count(), 0);
      const wide = await page.evaluate(() => document.getElementById("detail").scrollWidth - document.getElementById("detail").clientWidth);
      assert.ok(wide <= 0, `nothing runs out of the page: ${wide} px`);
      const told = await text(page, "#detail");
      assert.ok(!told.includes("\u202e"), "no text turns the others round");
      assert.ok(told.length < 100_000, "a huge line is cut");
      await page.keyboard.press("j");
    }
    await page.fill("#search", "harmed");
    assert.match(await text(page, "#detail"), /<img src=x onerror='window\.harmed = 3'><!--\\u\{20\}/);
    await page.fill("#search", "reversed");
    assert.match(await text(page, "#detail"), /\\u\{202e\}gnp\.exe 👩‍👩‍👧‍👦 🇩🇪/);
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    await close();
  });

  check("a comparison: paper, and other eyes and hands (axe)", async () => {
    const { page, close } = await open(html);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("#print article > h2").count(), 7, "all but what is unchanged");
    await close();
    for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { viewport: { width: 420, height: 800 } }]) {
      const one = await open(html, { ...options, bypassCSP: true });
      await one.page.keyboard.press("c");
      await one.page.evaluate(axe.source);
      for (let at = 0; at < 8; at += 1) {
        const { violations } = await one.page.evaluate(() => axe.run(document, { rules: { region: { enabled: false } } }));
        const told = violations.map((found) => `${found.id}: ${found.help}\n${found.nodes.slice(0, 3).map((node) => `  ${node.html.slice(0, 200)}`).join("\n")}`);
        assert.deepEqual(told, [], `${JSON.stringify(options)}, test ${at}`);
        await one.page.keyboard.press("j");
      }
      await one.close();
    }
  });

  check(`a comparison of ${LARGE} tests`, async () => {
    const files = (side) => {
      const { rows, suite } = largeOf(side, LARGE);
      return { "_data/rows.csv": rows, "large.yaml": suite };
    };
    const large = compared("drift-large", files, 0);
    const inert = join(here, "inert-compare.html");
    const bytes = statSync(large).size;
    writeFileSync(inert, `<!doctype html><title>x</title><script type="text/plain">${"x".repeat(bytes)}</script><body data-ready>`);
    const [times, idle] = [[], []];
    for (let round = 0; round < 5; round += 1) {
      for (const [file, into] of [[inert, idle], [large, times]]) {
        const one = await open(file);
        into.push(one.took);
        await one.close();
      }
    }
    const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
    const [opened, floor] = [median(times), median(idle)];
    console.log(`  ${(bytes / 1e6).toFixed(1)} MB open in ${Math.round(opened)} ms; a page of as many idle bytes in ${Math.round(floor)} ms`);
    assert.ok(opened < 8 * floor + 200, `opening takes ${Math.round(opened)} ms, ${(opened / floor).toFixed(1)} times as long as idle bytes`);
    const { page, close } = await open(large);
    assert.ok((await shownRows(page)) < 60, "rows are made as needed");
    for (let part = 0; part <= 20; part += 1) {
      await page.evaluate((part) => { const list = document.querySelector(".list"); list.scrollTop = (list.scrollHeight * part) / 20; }, part);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const seen = await page.evaluate(() => { const box = document.querySelector(".list").getBoundingClientRect(); return [box.top + 20, box.bottom - 20].map((y) => document.elementFromPoint(box.left + 40, y)?.closest(".row") !== null); });
      assert.deepEqual(seen, [true, true], `a gap at ${part}/20`);
    }
    await page.click('[data-group="changed"]');
    assert.equal(await text(page, "#count"), "200 of 10,000 tests");
    assert.deepEqual(await page.locator("#detail ins.word").allInnerTexts(), ["voucher"]);
    await page.screenshot({ path: join(screenshots, "compare-large.png") });
    await close();
  });
};
