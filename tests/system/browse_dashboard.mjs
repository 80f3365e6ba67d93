// The dashboard under load: figures move, an error opens, the reload button works by keyboard and tells of mistakes.
const text = (page, selector) => page.$eval(selector, (element) => element.innerText);
const tile = (name) => [...document.querySelectorAll(".tile")].find((one) => one.querySelector("h2").textContent === name);

async function press(page, selector) {
  await page.focus(selector);
  await page.keyboard.press("Enter");
}

async function shown(page) {
  await page.waitForFunction(() => !document.body.classList.contains("stale") && document.querySelectorAll("#routes tbody tr").length > 2
    && document.querySelectorAll("#errors details").length > 0 && document.querySelectorAll("#slow li").length > 0);
}

export default async function visit({ open, screenshot, url }, pause = "0") {
  const page = await open({ width: 1440, height: 1000 });
  await page.goto(url);
  await shown(page);
  await page.waitForFunction(`(${tile})("Requests").querySelector("strong").innerText.match(/[1-9]/)`);
  await new Promise((done) => setTimeout(done, Number(pause)));
  const dark = await open({ width: 1440, height: 1000, scheme: "dark" });
  await dark.goto(url);
  await shown(dark);
  const phone = await open({ width: 360, height: 780 });
  await phone.goto(url);
  await shown(phone);

  await press(page, "#reload");
  await page.waitForFunction(() => /^Generation \d+ serves/.test(document.querySelector("#outcome p").innerText));
  await page.waitForFunction(() => document.querySelector("#reloads li b.ok"));
  const focused = await page.evaluate(() => document.activeElement.id);
  await page.evaluate(() => document.querySelector("#routes button[data-sort=p99]").click());
  await press(page, "#errors summary");
  await page.waitForFunction(() => document.querySelector("#errors details").open);
  const opened = await text(page, "#errors details");
  await screenshot(page, "dashboard-light");
  await screenshot(dark, "dashboard-dark");
  await screenshot(phone, "dashboard-phone");
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
  return { opened, wide, focused, slow: await text(page, "#slow"), routes: await text(page, "#routes"),
    injected: await page.evaluate(() => document.querySelectorAll("main img, main script").length),
    flame: await page.$eval("#profile", (link) => link.getAttribute("href")),
    live: await text(page, "#live"), history: await dark.$eval(".tile .line", (line) => line.getAttribute("d").length) };
}
