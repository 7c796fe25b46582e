// Places an order through Swagger UI. Usage: node try-it-out.mjs URL PNG; exits with 0 if the order
// became Confirmed there.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { chromium } from "playwright-core";

const STEP_MS = 15_000;
const CONFIRMED_MS = 30_000;
const POLL_MS = 300;
const RUN_MS = 120_000;

// No sandbox: Chromium has none as root. The other flags stop the browser's requests to other servers.
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

// the documented responses and the schemas, which fill pages
const NOT_IN_THE_PICTURE =
  ".responses-table:not(.live-responses-table), .models { display: none !important }";

const url = new URL(process.argv[2]);
const picture = resolve(process.argv[3]);
const profile = mkdtempSync(join(tmpdir(), "ordermill-chromium-"));
let watchdog;
const tooLate = new Promise((_, reject) => {
  watchdog = setTimeout(() => reject(new Error(`not done after ${RUN_MS} ms`)), RUN_MS);
});

let failed = 0;
try {
  await Promise.race([run(), tooLate]);
} catch (error) {
  process.stderr.write(`FAILED: ${error.stack ?? error}\n`);
  failed = 1;
} finally {
  clearTimeout(watchdog);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(failed);

async function run() {
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1280, height: 1000 },
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(STEP_MS);
  const complaints = complaintsOf(page);
  try {
    await walk(page);
    assert.deepEqual(complaints, [], "the page reported problems");
  } finally {
    mkdirSync(dirname(picture), { recursive: true });
    await page.addStyleTag({ content: NOT_IN_THE_PICTURE });
    await page.screenshot({ path: picture, fullPage: true });
    say(`picture: ${picture}`);
    await browser.close();
  }
}

async function walk(page) {
  await page.goto(url.href);
  await page.locator(".swagger-ui .opblock").first().waitFor();
  assert.match(new URL(page.url()).pathname, /^\/swagger-ui\//, "/ leads to Swagger UI");
  say(`${url.href} leads to ${page.url()}: "${await page.title()}"`);

  const place = await tryOut(page, "post", /^\/orders$/);
  const body = JSON.parse(await place.locator("textarea.body-param__text").inputValue());
  say(`POST /orders, the example body: ${JSON.stringify(body)}`);
  const placed = await execute(page, place, "POST /orders");
  assert.equal(placed.status, "201");
  say(`201: order ${placed.body.id} is ${placed.body.status}`);

  const read = await tryOut(page, "get", /^\/orders\/\{\w+\}$/);
  await read.locator("tr[data-param-in=path] input").fill(placed.body.id);
  const deadline = Date.now() + CONFIRMED_MS;
  let order = placed.body;
  while (order.status !== "Confirmed" && Date.now() < deadline) {
    const answer = await execute(page, read, `GET /orders/${placed.body.id}`);
    assert.equal(answer.status, "200");
    assert.equal(answer.body.id, placed.body.id);
    order = answer.body;
    if (order.status !== "Confirmed") await page.waitForTimeout(POLL_MS);
  }
  assert.equal(order.status, "Confirmed", `the order is ${order.status}`);
  say(`200: order ${order.id} is Confirmed, ${order.totalPrice} ${order.currency}`);
}

// Opens the operation and presses "Try it out".
async function tryOut(page, method, path) {
  const paths = page.locator(`.opblock-${method} .opblock-summary-path`);
  await paths.first().waitFor();
  const all = await paths.evaluateAll((found) => found.map((one) => one.dataset.path));
  const index = all.findIndex((one) => path.test(one));
  assert.notEqual(index, -1, `no ${method} ${path} among ${all.join(" ")}`);
  const block = page.locator(`.opblock-${method}`)
    .filter({ has: page.locator(`[data-path="${all[index]}"]`) });
  await block.locator(".opblock-summary-control").click();
  await block.locator("button.try-out__btn").click();
  return block;
}

// Presses "Execute" and reads the server's answer to `call` that the page then shows.
async function execute(page, block, call) {
  const sent = page.waitForResponse((answer) => answer.request().resourceType() === "fetch");
  await block.locator("button.execute").click();
  const answer = await sent;
  const called = `${answer.request().method()} ${new URL(answer.url()).pathname}`;
  assert.equal(called, call, "what the page called");
  const live = block.locator(".live-responses-table");
  const shown = live.locator("tr.response td.response-col_status").first();
  await shown.filter({ hasText: String(answer.status()) }).waitFor();
  const status = (await shown.innerText()).trim().split(/\s/)[0];
  // the page renders the answer a moment after it has arrived
  const wanted = await answer.json();
  const text = live.locator("tr.response .highlight-code").first();
  await page.waitForFunction(
    ([node, id, state]) => node.textContent.includes(id) && node.textContent.includes(state),
    [await text.elementHandle(), String(wanted.id ?? ""), String(wanted.status ?? "")],
  );
  return { status, body: JSON.parse(await text.locator("code").first().textContent()) };
}

// Collects the problems of the page: an error in it, or a request to another machine (order-management
// serves all assets itself).
function complaintsOf(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (/^https?:$/.test(asked.protocol) && asked.host !== url.host) complaints.push(`asked ${asked.host}`);
  });
  return complaints;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
