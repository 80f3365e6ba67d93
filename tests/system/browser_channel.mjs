// A page of its own listens to a channel by the browser's EventSource: what came, once it has COUNT events.
export default async function ({ open, url }, count) {
  const page = await open();
  await page.goto(`${url}/page`);
  await page.waitForFunction((wanted) => document.querySelectorAll("li").length >= wanted, { timeout: 30000 }, Number(count));
  return page.evaluate(() => Array.from(document.querySelectorAll("li"), (item) => item.textContent));
}
