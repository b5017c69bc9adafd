// --web and headway view in a real Chromium: live updates arrive and become the report, also without scripts; several
// results are laid over one another. HEADWAY is the program, CHROMIUM the browser, SHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const headway = process.env.HEADWAY, shots = process.env.SHOTS;
const dir = mkdtempSync(join(tmpdir(), "headway-web-"));
const started = [];
let browser;

before(async () => { browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] }); });
after(async () => {
  await browser?.close();
  started.forEach(c => c.kill());
  rmSync(dir, { recursive: true, force: true });
});

// start runs headway and waits for the address that it prints.
async function start(stream, ...args) {
  const child = spawn(headway, args, { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  for await (const line of createInterface({ input: child[stream] })) {
    const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(line);
    if (found) return found[0];
  }
  throw new Error("no address");
}

async function opened(t, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage(), said = [];
  page.on("console", m => said.push(m.text()));
  page.on("pageerror", e => said.push(e.message));
  await page.goto(url);
  return { page, said };
}

test("a run is followed and becomes the report", async t => {
  const url = await start("stderr", "run", "--simulated", "--streaming", "--concurrency", "4", "--benchmark-duration", "8",
    "--isl", "50", "--osl", "20", "-d", join(dir, "live"), "--web", "--web-stay", "inf");
  const { page, said } = await opened(t, url);
  const small = await opened(t, url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const plain = await opened(t, url, { javaScriptEnabled: false });
  await page.waitForFunction(() => /[1-9][0-9]* done/.test(document.body.innerText));
  const first = await page.locator("#phase").innerText();
  await page.waitForFunction(old => document.querySelector("#phase").innerText !== old, first);
  assert.equal(await small.page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "it scrolls sideways");
  if (shots) await page.screenshot({ path: join(shots, "live-1280-light.png") });
  if (shots) await small.page.screenshot({ path: join(shots, "live-390-dark.png") });
  for (const p of [page, small.page, plain.page]) await p.waitForSelector("#pictures", { timeout: 60000 });
  assert.deepEqual([said, small.said], [[], []]);
});

test("results are listed and laid over one another by keyboard, and the address keeps them", async t => {
  for (const [name, c] of [["a", 2], ["b", 8]])
    execFileSync(headway, ["sim", "replay", "--concurrency", String(c), "--request-count", "100", "--isl", "200", "--osl", "20",
      "--random-seed", "1", "--artifact-dir", join(dir, "tree", name), "--quiet"], { stdio: "ignore" });
  const url = await start("stdout", "view", join(dir, "tree"));
  const { page, said } = await opened(t, url);
  for (const box of await page.locator("input[type=checkbox]").all()) { await box.focus(); await page.keyboard.press("Space"); }
  await page.getByText("Compare ticked").focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#pictures");
  assert.match(page.url(), /r=a&r=b/);
  assert.ok(await page.locator(".chart canvas").count() >= 5);
  if (shots) await page.screenshot({ path: join(shots, "overlay-1280-light.png") });
  await page.getByText("All results").click();
  await page.waitForSelector("input[type=checkbox]");
  assert.equal(await page.locator("input:checked").count(), 2);
  assert.deepEqual(said, []);
});
