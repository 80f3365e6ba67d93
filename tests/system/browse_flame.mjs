// The flame graph: records by its form, finds, zooms by keyboard and comes back, and compares two recordings.
const text = (page, selector) => page.$eval(selector, (element) => element.innerText);
const frames = (page, words) => page.$$eval("#graph button", (all, wanted) => all
  .filter((one) => one.getAttribute("aria-label").includes(wanted))
  .map((one) => ({ label: one.getAttribute("aria-label"), kind: one.className, colour: getComputedStyle(one).backgroundColor,
    width: one.offsetWidth })), words);

async function record(page, seconds) {
  await page.$eval("#record input", (input, value) => { input.value = value; }, seconds);
  await page.focus("#record button");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#progress").hidden === false);
  await page.waitForFunction(() => document.querySelector("#progress").hidden === true, { timeout: 30000 });
}

async function find(page, words) {
  await page.keyboard.press("/");
  await page.keyboard.type(words);
  return text(page, "#found");
}

// The shares of a column of the table, from the top, and whether it is what the table is ordered by.
const column = (page, name) => page.evaluate((order) => {
  const heading = document.querySelector(`th[data-order="${order}"]`);
  const cells = [...document.querySelectorAll(`#top td:nth-child(${heading.cellIndex + 1})`)];
  return { shares: cells.map((cell) => parseFloat(cell.textContent.split("  ")[1])), sorted: heading.ariaSort,
    seen: cells[0].offsetWidth > 0 };
}, name);

async function reorder(page, name) {
  await page.focus(`th[data-order="${name}"] button`);
  await page.keyboard.press("Enter");
  return column(page, name);
}

export default async function visit({ open, screenshot, url }, app, first, second) {
  const page = await open({ width: 1280, height: 900 });
  await page.goto(`${url}/debug/flame`);
  await record(page, 1);
  const summary = await text(page, "#summary");
  const [hot] = await frames(page, first);
  const kinds = await page.$$eval("#graph button", (all) => [...new Set(all.map((one) => one.className.split(" ")[0]))]);
  const found = await find(page, first);
  const matched = await page.$$eval("#graph .match", (all) => all.length);
  await screenshot(page, "flame-light");

  await page.focus("#graph .match");
  await page.keyboard.press("Enter");
  const [zoomed] = await frames(page, first);
  await page.keyboard.press("Escape");
  const [back] = await frames(page, first);

  const orders = [await column(page, "self"), await reorder(page, "whole")];
  await screenshot(page, "flame-table");

  await page.focus("#keep");
  await page.keyboard.press("Enter");
  await fetch(`${app}/turn`);
  await record(page, 1);
  const legend = await text(page, "#legend");
  const [grew] = await frames(page, second);
  await screenshot(page, "flame-compared");
  const phone = await open({ width: 360, height: 780, scheme: "dark" });
  await phone.goto(`${url}/debug/flame?seconds=1`);
  await phone.waitForFunction(() => document.querySelectorAll("#top tr").length > 0, { timeout: 30000 });
  await screenshot(phone, "flame-phone");
  orders.push(await reorder(phone, "whole"));
  await screenshot(phone, "flame-phone-table");
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
  await phone.setExtraHTTPHeaders({ accept: "text/html" });
  await phone.goto(`${url}/jit`);
  await screenshot(phone, "jit-phone");
  const compiler = await phone.evaluate(() => ({ wide: document.documentElement.scrollWidth,
    hidden: [...document.querySelectorAll("[aria-label=Workers] :is(th, td)")].filter((one) => one.offsetWidth === 0).length }));
  return { compiler, orders, summary, hot, kinds, found, matched, zoomed, back, legend, grew, wide, top: await text(page, "#top tr"),
    injected: await page.evaluate(() => document.querySelectorAll("body img, body script[src]").length) };
}
