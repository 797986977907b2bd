// Goes through the server's pages in a real browser: prints what it saw as JSON, keeps screenshots.
//
//   node web.mjs CHROMIUM MODULES OUT PLAN.json
//
// PLAN is what is done, in order, each in the browser of one person ("as"): "open" a path, "fill" and "choose" by label in the form with a
// button, "press" a button, "reach" something by the Tab key and press a key on it, "print" a page, "follow" a link, "keep" what is shown once, "fetch" a file with a token as a client does, "read" a page, "look".
// A look is axe-core in light, dark and on a phone, and whether anything is wider than the window.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";

const [executablePath, modules, out, planned] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planned, "utf8"));
const require = createRequire(join(modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [
  { name: "light", width: 1280, height: 900, colorScheme: "light" },
  { name: "dark", width: 1280, height: 900, colorScheme: "dark" },
  { name: "phone", width: 360, height: 740, colorScheme: "light" },
];

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const people = {};
const about = { looks: {}, console: [], elsewhere: [], texts: {}, fetched: {} };
const kept = {};
let page;
const within = (step) => (step.form ? page.locator("form", { has: page.getByRole("button", { name: step.form, exact: true }) }) : page);
const enter = async (who) => {
  if (!people[who]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    const made = await context.newPage();
    made.setDefaultTimeout(30000);
    made.on("console", (message) => about.console.push(`${message.type()}: ${message.text()}`));
    made.on("pageerror", (error) => about.console.push(`error: ${error}`));
    made.on("dialog", (dialog) => { about.console.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    made.on("request", (request) => { if (!request.url().startsWith(plan.base)) about.elsewhere.push(request.url()); });
    people[who] = made;
  }
  page = people[who];
};
await enter("first");
for (const step of plan.steps) {
  try {
    if (step.do === "as") await enter(step.who);
    if (step.do === "open") await page.goto(step.kept ? kept[step.kept] : plan.base + step.path);
    if (step.do === "fill") await within(step).getByLabel(step.label, { exact: true }).fill(step.text);
    if (step.do === "choose") await within(step).getByLabel(step.label, { exact: true }).selectOption(step.text);
    if (step.do === "press") await page.getByRole("button", { name: step.name, exact: true }).click();
    if (step.do === "follow") await page.getByRole("link", { name: step.name }).first().click();
    if (step.do === "keep") kept[step.name] = (await page.locator(".secret").first().innerText()).trim();
    if (step.do === "fetch") {
      for (let tries = 0; tries < 30; tries++) {
        const answer = await fetch(plan.base + step.path, { headers: { authorization: `Bearer ${kept[step.token]}`, "user-agent": "hf_hub/2.4.0" } });
        const size = (await answer.arrayBuffer()).byteLength;
        about.fetched[step.name] = { status: answer.status, size, message: answer.headers.get("x-error-message") || "" };
        if (answer.status !== 503 && answer.status !== step.not) break;
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
    if (step.do === "read") about.texts[step.name] = { url: page.url(), text: await page.locator("main").innerText() };
    if (step.do === "look") {
      await page.waitForLoadState();
      const seen = (about.looks[step.name] = {});
      for (const view of VIEWS) {
        await page.setViewportSize({ width: view.width, height: view.height });
        await page.emulateMedia({ colorScheme: view.colorScheme });
        const wide = await page.evaluate(() => {
          const root = document.documentElement;
          const past = [...document.querySelectorAll("body *")].filter((each) => {
            if (each.closest(".wide, .skip, thead, .hidden, pre")) return false;
            const box = each.getBoundingClientRect();
            return box.width > 0 && box.right > root.clientWidth + 1;
          });
          return { wide: root.scrollWidth, window: root.clientWidth, past: past.slice(0, 5).map((each) => each.outerHTML.slice(0, 160)) };
        });
        await page.evaluate(axe);
        const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        const short = (one) => one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} :: ${node.failureSummary}`);
        const styled = await page.evaluate(() => getComputedStyle(document.body).maxWidth);
        const levels = await page.evaluate(() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((each) => Number(each.tagName[1])));
        seen[view.name] = { ...wide, styled, levels, violations: result.violations.map((one) => ({ id: one.id, nodes: short(one) })) };
        await page.screenshot({ path: join(out, `web-${step.name}-${view.name}.png`), fullPage: true });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme: "light" });
    }
    if (step.do === "reach") {
      let at = "";
      for (let tries = 0; at !== step.name && tries < 200; tries++) {
        await page.keyboard.press("Tab");
        at = await page.evaluate(() => (document.activeElement.getAttribute("aria-label") || document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent || "").trim());
      }
      if (at !== step.name) throw new Error(`Tab never came to ${step.name}`);
      // Enter leads to another page, which is not yet there when the key is up
      await Promise.all([step.key === "Enter" ? page.waitForNavigation() : null, page.keyboard.press(step.key)]);
    }
    if (step.do === "print") {
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      const seen = await page.evaluate(() => {
        const shown = (each) => each.getClientRects().length > 0;
        return {
          text: document.querySelector("main").innerText,
          acting: [...document.querySelectorAll("button, input, select, textarea, nav")].filter(shown).map((each) => each.outerHTML.slice(0, 160)),
          back: getComputedStyle(document.body).backgroundColor,
        };
      });
      const made = await page.pdf({ path: join(out, `web-${step.name}.pdf`), printBackground: true });
      const pages = (made.toString("latin1").match(/\/Type\s*\/Page\b/g) || []).length;
      (about.printed ||= {})[step.name] = { ...seen, bytes: made.length, pages };
      await page.emulateMedia({ media: "screen", colorScheme: "light" });
    }
    if (step.do === "keys") {
      await page.evaluate(() => document.activeElement?.blur());
      const order = [];
      for (let at = 0; at < step.count; at++) {
        await page.keyboard.press("Tab");
        order.push(await page.evaluate(() => {
          const one = document.activeElement;
          const ring = getComputedStyle(one).outlineStyle !== "none";
          return { name: (one.getAttribute("aria-label") || one.textContent || one.name || "").trim().slice(0, 60), tag: one.tagName, ring };
        }));
      }
      about.keys = order;
    }
  } catch (error) {
    about.failed = { step, url: page.url(), error: String(error).slice(0, 600), text: (await page.locator("body").innerText()).slice(0, 1500) };
    await page.screenshot({ path: join(out, "web-failed.png"), fullPage: true });
    break;
  }
}
await browser.close();
process.stdout.write(JSON.stringify(about, null, 1));
