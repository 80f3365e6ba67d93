// Opens the front page twice: the first page hears of the second. Then tries a route.
export default async function visit({ open, screenshot, url }) {
  const first = await open();
  await first.goto(url);
  await first.waitForFunction(() => document.getElementById("state").textContent.includes("page is open"));
  const before = Number(await first.$eval("#total", (element) => element.textContent));
  const second = await open({ scheme: "dark" });
  await second.goto(url);
  await first.waitForFunction((n) => Number(document.getElementById("total").textContent) === n, {}, before + 1);
  await first.waitForFunction(() => document.getElementById("state").textContent === "2 pages are open now");
  await first.click("#try button");
  await first.waitForFunction(() => document.getElementById("answer").textContent.includes('"color":"green"'));
  await screenshot(first, "front-light");
  await screenshot(second, "front-dark");
  const narrow = await open({ width: 400, height: 800 });
  await narrow.goto(url);
  await screenshot(narrow, "front-narrow");
  const wide = await narrow.evaluate(() => document.documentElement.scrollWidth);
  return { before, routes: await first.$$eval("tbody tr", (rows) => rows.length), wide,
    source: await first.$eval(".source", (element) => element.innerText) };
}
