// node browser.mjs PUPPETEER CHROMIUM SCREENSHOTS SCRIPT URL [ARGUMENTS]: runs SCRIPT's default function with what it needs
// to open pages, and prints what it returns as JSON. Requests to another host than the URL's fail the run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const [puppeteerPath, chromium, screenshots, script, url, ...rest] = process.argv.slice(2);
const { default: puppeteer } = await import(puppeteerPath);
const { default: visit } = await import(path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), script));

const profiles = [];
const browsers = [];
const faults = [];

// A browser of its own with one page in it.
async function open(options = {}) {
  const profile = await mkdtemp(path.join(tmpdir(), "perigee-chromium-"));
  profiles.push(profile);
  const browser = await puppeteer.launch({
    executablePath: chromium, headless: true, userDataDir: profile,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
      "--disable-component-update", "--no-first-run"],
  });
  browsers.push(browser);
  const page = await browser.newPage();
  await page.setViewport({ width: options.width ?? 1200, height: options.height ?? 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: options.scheme ?? "light" }]);
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
      faults.push(`a request to ${request.url()}`);
    }
  });
  page.on("pageerror", (error) => faults.push(`in the page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") {
      faults.push(`console: ${message.text()} ${message.location().url ?? ""}`);
    }
  });
  return page;
}

const screenshot = (page, name) => page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });

let status = 0;
try {
  const result = await visit({ open, screenshot, url, faults }, ...rest);
  console.log(JSON.stringify(result ?? {}));
  if (faults.length > 0) {
    throw new Error(faults.join("\n"));
  }
} catch (error) {
  console.error(error.stack);
  status = 1;
} finally {
  for (const browser of browsers) {
    await browser.close();
  }
  for (const profile of profiles) {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
process.exit(status);
