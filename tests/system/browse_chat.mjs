// Two people in two browsers talk, one comes back after a pause, one leaves.
const text = (page) => page.$eval("#messages", (element) => element.innerText);
const shows = (page, words) => page.waitForFunction(
  (wanted) => document.getElementById("messages").innerText.includes(wanted), {}, words);
const members = (page, names) => page.waitForFunction(
  (wanted) => document.getElementById("members").innerText.trim().split(/\s*\n\s*/).join() === wanted, {}, names.join());

async function enter(open, url, name, options) {
  const page = await open(options);
  await page.goto(url);
  await page.type("#name", name);
  await Promise.all([page.waitForNavigation(), page.click("button")]);
  await page.waitForFunction(() => document.getElementById("state").textContent === "live");
  return page;
}

async function say(page, words) {
  await page.type("#text", words);
  await page.keyboard.press("Enter");
  await shows(page, words);
}

export default async function visit({ open, screenshot, url }) {
  const ada = await enter(open, url, "Ada");
  const grace = await enter(open, url, "Grace", { scheme: "dark" });
  await members(ada, ["Ada", "Grace"]);
  await shows(ada, "Grace came in");
  await say(ada, "Good morning, is anybody there?");
  await shows(grace, "Good morning, is anybody there?");
  await say(grace, "<b>Me</b>, and the kettle is on.");
  await shows(ada, "<b>Me</b>, and the kettle is on.");
  await screenshot(ada, "chat-light");
  await screenshot(grace, "chat-dark");

  await grace.goto(`${url}/rooms/tea`);
  await members(ada, ["Ada"]);
  await shows(ada, "Grace left");
  await say(grace, "Nobody in here.");
  const heard = await text(ada);

  await grace.goto(`${url}/rooms/lobby`);
  await members(ada, ["Ada", "Grace"]);
  await Promise.all([grace.waitForNavigation(), grace.click("nav form button")]);
  await members(ada, ["Ada"]);
  const narrow = await enter(open, url, "Lin", { width: 400, height: 800 });
  await screenshot(narrow, "chat-narrow");
  await members(narrow, ["Ada", "Lin"]);

  // Of two answers about who is there the first may come last.
  await narrow.evaluate(() => {
    const ask = window.fetch;
    const late = new Response("[]");
    const read = late.json.bind(late);
    late.json = async () => {
      setTimeout(() => { window.lateRead = true; });
      return read();
    };
    window.fetch = async () => {
      window.fetch = ask;
      await new Promise((resolve) => { window.letGo = resolve; });
      return late;
    };
  });
  await enter(open, url, "Mary");
  await narrow.waitForFunction(() => window.letGo);
  await enter(open, url, "Zoe");
  await members(narrow, ["Ada", "Lin", "Mary", "Zoe"]);
  await narrow.evaluate(() => window.letGo());
  await narrow.waitForFunction(() => window.lateRead);
  await members(narrow, ["Ada", "Lin", "Mary", "Zoe"]);
  const leave = await narrow.evaluate(() => {
    const list = document.getElementById("members");
    for (const name of ["Somebody", "Somebody Else", "Yet Another One"]) {
      list.append(Object.assign(document.createElement("li"), { textContent: name }));
    }
    const bottom = (selector) => document.querySelector(selector).getBoundingClientRect().bottom;
    return bottom("nav form button") <= bottom("nav");
  });
  return { leave, heard, left: await grace.evaluate(() => location.pathname),
    wide: await narrow.evaluate(() => document.documentElement.scrollWidth) };
}
