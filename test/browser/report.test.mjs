// report.html in a real Chromium: it loads from a file, reaches for nothing, is worked by pointer and keyboard,
// reads without scripts, and prints. HEADWAY is the program, CHROMIUM the browser, SHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const headway = process.env.HEADWAY, shots = process.env.SHOTS;
const dir = mkdtempSync(join(tmpdir(), "headway-browser-"));
let browser, pages;

before(async () => {
  const run = (...args) => execFileSync(headway, args, { stdio: ["ignore", "ignore", "inherit"] });
  const hostile = "</script><img src=http://127.0.0.1:9/x onerror=alert(1)>";
  const one = (name, model, concurrency) => run("sim", "replay", "--concurrency", String(concurrency), "--request-count", "400",
    "--isl", "800", "--osl", "60", "--random-seed", "1", "--model", model, "--artifact-dir", join(dir, name), "--quiet");
  one("run", "a/model", 8);
  one("hostile", hostile, 8);
  for (const c of [1, 4, 16]) one("sweep/c" + c, "a/model", c);
  run("report", join(dir, "sweep"), "-o", join(dir, "sweep.html"), "--quiet");
  pages = { run: join(dir, "run", "report.html"), hostile: join(dir, "hostile", "report.html"), sweep: join(dir, "sweep.html") };
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true, force: true });
});

// opened is a page, and what it said and asked for.
async function opened(t, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage(), said = [], asked = [];
  page.on("console", m => said.push(m.text()));
  page.on("pageerror", e => said.push(e.message));
  page.on("dialog", d => { said.push("dialog " + d.message()); d.dismiss(); });
  page.on("request", r => { if (!/^(data|file):/.test(r.url())) asked.push(r.url()); });
  await page.goto("file://" + path);
  return { page, said, asked };
}

const looks = process.env.SHORT ? [["run", 1280, "light"], ["hostile", 390, "dark"]] :
  ["run", "sweep", "hostile"].flatMap(n => [1280, 390].flatMap(w => ["light", "dark"].map(c => [n, w, c])));
for (const [name, width, colorScheme] of looks)
  test(`${name} at ${width} pixels, ${colorScheme}: loads, asks for nothing, says nothing, fits`, async t => {
    const { page, said, asked } = await opened(t, pages[name], { viewport: { width, height: 900 }, colorScheme });
    assert.ok(await page.locator(".chart canvas").count() >= 5);
    assert.equal(await page.locator(".plot").count(), await page.locator(".chart canvas").count());
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "it scrolls sideways");
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(paper === "rgb(255, 255, 255)", colorScheme === "light", paper);
    if (shots) await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    assert.deepEqual([said, asked], [[], []]);
  });

test("a name that would be a script is text", async t => {
  const { page } = await opened(t, pages.hostile);
  assert.equal(await page.locator("img:not(.still)").count(), 0);
  assert.match(await page.locator(".facts").innerText(), /<img src=http/);
});

test("the policy lets no other script run and nothing load", async t => {
  const path = join(dir, "changed.html");
  const text = readFileSync(pages.run, "utf8");
  writeFileSync(path, text.replace("<h1>", `<img src="http://127.0.0.1:9/x"><script>window.hit = 1</script><h1 onclick="window.hit = 2">`));
  const { page, said } = await opened(t, path);
  await page.locator("h1").click();
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.ok(said.length >= 3, "the browser says what it refused: " + said);
});

test("series go off and on, the pointer reads values off, dragging zooms", async t => {
  const { page } = await opened(t, pages.sweep);
  const plot = page.locator(".plot").filter({ hasText: "Requests in flight" }).last();
  const button = plot.locator(".legend button").first();
  await button.click();
  assert.equal(await button.getAttribute("aria-pressed"), "false");
  await button.click();
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  const over = plot.locator(".u-over"), box = await over.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const middle = await plot.locator(".readout").innerText();
  assert.match(middle, /Time since .*: [0-9]/);
  assert.match(await plot.locator(".legend b").first().innerText(), /[0-9]/);
  await page.mouse.move(box.x + 2, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 4, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  assert.notEqual(await plot.locator(".readout").innerText(), middle, "it has not zoomed");
});

test("everything is reached and worked by keyboard", async t => {
  const { page } = await opened(t, pages.run);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const reached = new Set();
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.tagName + "." + document.activeElement.className));
  }
  for (const want of ["A.", "DIV.box", "DIV.chart", "BUTTON.", "SUMMARY.", "PRE."]) assert.ok(reached.has(want), want + " of " + [...reached]);
  const chart = page.locator(".chart").first(), readout = page.locator(".readout").first();
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  const first = await readout.innerText();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  assert.notEqual(await readout.innerText(), first);
  await page.keyboard.press("+");
  await page.keyboard.press("0");
});

test("requests are filtered, aligned and ordered", async t => {
  const { page } = await opened(t, pages.run);
  const flow = page.locator(".flow").first(), rows = flow.locator("tbody tr:not([hidden])");
  const all = await rows.count();
  await flow.getByRole("button", { name: /Longest \(/ }).click();
  assert.equal(await rows.count(), 20);
  await flow.getByRole("button", { name: "All" }).click();
  assert.equal(await rows.count(), all);
  const view = () => rows.nth(5).locator("svg").getAttribute("viewBox");
  const before = await view();
  await flow.getByRole("button", { name: "Align starts" }).click();
  assert.notEqual(await view(), before);
  await flow.getByRole("button", { name: "Longest first" }).click();
  const totals = (await rows.locator("td:nth-child(3)").allInnerTexts()).map(s => +s.replace(/,/g, ""));
  assert.deepEqual(totals, totals.slice().sort((a, b) => b - a));
});

test("headings go down step by step, and pictures and tables have names", async t => {
  const { page } = await opened(t, pages.sweep);
  const levels = await page.locator("h1, h2, h3").evaluateAll(all => all.map(e => +e.tagName[1]));
  assert.equal(levels.filter(l => l === 1).length, 1);
  levels.forEach((l, i) => assert.ok(i === 0 || l <= levels[i - 1] + 1));
  for (const s of ["img", ".chart", ".box"])
    assert.equal(await page.locator(s).evaluateAll(all => all.filter(e => !(e.alt || e.getAttribute("aria-label"))).length), 0, s);
});

test("without scripts it has its tables and pictures", async t => {
  const { page, said, asked } = await opened(t, pages.sweep, { javaScriptEnabled: false });
  const plots = await page.locator(".plot").count();
  assert.equal(await page.locator(".plot img:visible").count(), plots);
  assert.equal(await page.locator(".tools:visible, .hint:visible").count(), 0);
  assert.ok(await page.locator(".requests:visible").count() >= 1);
  if (shots) await page.screenshot({ path: join(shots, "sweep-without-scripts.png"), fullPage: true });
  assert.deepEqual([said, asked], [[], []]);
});

test("its still pictures draw", async t => {
  const { page } = await opened(t, pages.sweep);
  const sizes = await page.locator(".still").evaluateAll(all => Promise.all(all.map(async e => { await e.decode(); return e.naturalWidth; })));
  assert.ok(sizes.every(w => w > 0));
});

test("it prints, with pictures as they are without scripts", async t => {
  const { page } = await opened(t, pages.run, { colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.locator(".still:visible").count() >= 5);
  assert.equal(await page.locator(".live:visible, nav:visible, .tools:visible").count(), 0);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.locator(".still").first().evaluate(e => getComputedStyle(e).filter), "none");
  const pdf = await page.pdf({ format: "A4" });
  if (shots) writeFileSync(join(shots, "run.pdf"), pdf);
  assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
});
