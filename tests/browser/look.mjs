// Looks at pages in a real browser: prints what it saw as JSON, keeps screenshots and PDFs.
//
//   node look.mjs CHROMIUM MODULES OUT PAGE.html...
//
// MODULES is the folder in which npm has installed what package.json names.
//
// Of each page: violations that axe-core finds in light, in dark, on a phone and as it is printed; whether it is wider than its window;
// what the browser's console said; what was asked for over the network; and how it prints.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const [executablePath, modules, out, ...pages] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [
  { name: "light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
  { name: "print", viewport: { width: 794, height: 1123 }, colorScheme: "dark", media: "print" },
];

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const found = [];
for (const path of pages) {
  const stem = basename(path, ".html");
  const about = { page: stem, views: {}, console: [], requests: [] };
  // axe needs minutes for a page of tens of thousands of elements: one that is about length alone is looked at once
  for (const view of stem === "long" ? VIEWS.filter((each) => each.name === "light" || each.media) : VIEWS) {
    // the page's own policy forbids every script, axe among them: it comes in through the debugger, where no policy of a page counts
    const context = await browser.newContext({ viewport: view.viewport, colorScheme: view.colorScheme });
    const page = await context.newPage();
    page.setDefaultTimeout(300000);
    page.on("console", (message) => about.console.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => about.console.push(`error: ${error}`));
    page.on("dialog", (dialog) => { about.console.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => about.requests.push(request.url()));
    await page.goto(pathToFileURL(path).href);
    if (view.media) await page.emulateMedia({ media: view.media });
    const seen = await page.evaluate(() => {
      const root = document.documentElement;
      const past = [...document.querySelectorAll("body *")].filter((each) => {
        // what is moved in a frame of its own, and what only a screen reader meets
        if (each.closest(".wide") || each.closest(".skip") || each.closest("thead")) return false;
        const box = each.getBoundingClientRect();
        return box.width > 0 && box.right > root.clientWidth + 1;
      });
      return {
        wide: root.scrollWidth, window: root.clientWidth, tall: root.scrollHeight, past: past.slice(0, 5).map((each) => each.outerHTML.slice(0, 160)),
        styled: getComputedStyle(document.body).maxWidth, heads: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((each) => `${each.tagName} ${each.textContent}`),
      };
    });
    await page.evaluate(axe);
    const rules = stem === "long" ? { "color-contrast": { enabled: false } } : {};
    const result = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ["violations", "incomplete"], rules }), rules);
    const short = (one) => one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} :: ${node.failureSummary}`);
    seen.violations = result.violations.map((one) => ({ id: one.id, impact: one.impact, count: one.nodes.length, nodes: short(one) }));
    seen.incomplete = result.incomplete.map((one) => ({ id: one.id, count: one.nodes.length, nodes: short(one) }));
    seen.passes = result.passes?.length ?? 0;
    // a page may be longer than what a picture can be: of such a one the window is kept
    await page.screenshot({ path: join(out, `${stem}-${view.name}.png`), fullPage: seen.tall < 60000 });
    about.views[view.name] = seen;
    if (view.name === "light") {
      await page.keyboard.press("Tab");
      about.first_focus = await page.evaluate(() => document.activeElement?.textContent.slice(0, 100));
      await page.keyboard.press("Enter");
      about.after_skip = await page.evaluate(() => location.hash);
      await page.pdf({ path: join(out, `${stem}.pdf`), format: "A4", preferCSSPageSize: false, printBackground: true, tagged: true, outline: true });
    }
    await context.close();
  }
  found.push(about);
}
await browser.close();
process.stdout.write(JSON.stringify(found, null, 1));
