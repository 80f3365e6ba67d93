// What each panel shows of its part of the events. `before` is the part as it was, with the time it was of.
import { Sparkline, ago, bytes, count, duration, keyed, make, rate, setText } from "./drawing.js";

const $ = (id) => document.getElementById(id);
const TREND = 60; // seconds

const body = (table) => $(table).tBodies[0];

function showEmpty(panel, empty) {
  panel.closest(".panel").querySelector(".empty").hidden = !empty;
}

// By how much a count grew in a second since `before`; 0 where that is not known.
function perSecond(now, before, t, was) {
  return before && t > was ? Math.max(0, now - before) / (t - was) : 0;
}

// ---- routes

const trends = new Map(); // key -> { line, values, requests, t }
let sorting = "requests";

const routeKey = (row) => `${row.method} ${row.pattern}`;

function follow(row, t) {
  const key = routeKey(row);
  let trend = trends.get(key);
  if (!trend) {
    trend = { line: new Sparkline(TREND, 1), values: [], requests: row.requests, errors: row.errors, failed: -Infinity, t };
    trends.set(key, trend);
  } else if (t > trend.t) {
    trend.values.push([t, (row.requests - trend.requests) / (t - trend.t)]);
    if (row.errors > trend.errors) {
      trend.failed = t;
    }
    trend.requests = row.requests;
    trend.errors = row.errors;
    trend.t = t;
    while (trend.values[0][0] < t - TREND - 5) {
      trend.values.shift();
    }
  }
  row.failing = t - trend.failed < TREND;
  row.rate = trend.values.length > 0 ? trend.values[trend.values.length - 1][1] : 0;
  return trend;
}

function compare(one, other) {
  if (sorting === "pattern") {
    return one.pattern < other.pattern ? -1 : one.pattern > other.pattern ? 1 : 0;
  }
  return other[sorting] - one[sorting] || other.requests - one.requests;
}

function makeRoute(row) {
  const cells = ["", "trend", "n", "n minor", "n minor", "n", "n minor", "n", "n minor"].map((name) => make("td", { class: name }));
  cells[0].append(make("span", { class: "method" }, row.method || "–"), row.pattern);
  cells[0].title = routeKey(row).trim();
  cells[1].append(trends.get(routeKey(row)).line.svg);
  return make("tr", {}, ...cells);
}

function showCell(cell, text, name, on) {
  setText(cell, text);
  cell.classList.toggle(name, on);
}

function updateRoute(element, row) {
  const cells = element.cells;
  trends.get(routeKey(row)).line.draw(trends.get(routeKey(row)).values);
  showCell(cells[2], rate(row.rate), "zero", row.rate === 0);
  [row.p50, row.p90, row.p99].forEach((value, i) => showCell(cells[3 + i], duration(value), "old", !row.recent));
  showCell(cells[6], count(row.client_errors), "zero", row.client_errors === 0);
  showCell(cells[7], count(row.errors), "zero", row.errors === 0);
  cells[7].classList.toggle("alarm", row.failing);
  setText(cells[8], count(row.requests));
}

let lastRoutes = null;

function showRoutes(data, { t }) {
  lastRoutes = data;
  data.rows.forEach((row) => follow(row, t));
  keyed(body("routes"), [...data.rows].sort(compare), routeKey, makeRoute, updateRoute);
  setText($("routes-note"), data.routes > data.rows.length ? `${data.rows.length} of ${data.routes}` : "");
  showEmpty($("routes"), data.rows.length === 0);
}

$("routes").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sort]");
  if (button) {
    sorting = button.dataset.sort;
    $("routes").querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    keyed(body("routes"), [...(lastRoutes?.rows ?? [])].sort(compare), routeKey, makeRoute, updateRoute);
  }
});

// ---- workers

function makeWorker() {
  return make("li", {}, make("span", { class: "name" }), make("span", { class: "bar" }, make("i", { class: "run" })),
    make("span", { class: "load" }), make("span", { class: "facts" }));
}

function showWorkers(workers, { t, before }) {
  const each = workers.map((worker, number) => {
    const last = before?.data[number];
    const per = (name) => perSecond(worker[name], last?.[name], t, before?.t);
    return { ...worker, number, load: per("cpu"), rate: per("requests"), rounds: per("collections"), collecting: per("collecting") };
  });
  keyed($("workers"), each, (worker) => worker.number, makeWorker, (element, worker) => {
    const [name, bar, load, facts] = element.children;
    setText(name, String(worker.number + 1));
    bar.firstChild.style.width = `${Math.min(100, worker.load * 100).toFixed(1)}%`;
    element.classList.toggle("busy", worker.load > 0.9 || !worker.responding);
    setText(load, worker.responding ? `${(worker.load * 100).toFixed(0)}\u2009%` : "busy");
    const words = [`${rate(worker.rate)}/s`, `${count(worker.connections)} conn`, `${count(worker.tasks)} tasks`,
      `Lua ${bytes(worker.heap)}`, `GC ${(worker.collecting * 100).toFixed(0)}\u2009%, ${rate(worker.rounds)}/s`];
    if (worker.queued > 0) {
      words.push(`${count(worker.queued)} queued`);
    }
    if (worker.generations > 1) {
      words.push(`${worker.generations} generations`);
    }
    setText(facts, words.map((word) => word.replaceAll(" ", "\u00a0")).join(" · "));
  });
}

// ---- waits

function showWaits(waits, { t, before }) {
  const last = new Map((before?.data ?? []).map((wait) => [wait.operation, wait]));
  const rows = waits.map((wait) => {
    const was = last.get(wait.operation);
    const seconds = perSecond(wait.seconds, was?.seconds, t, before?.t);
    const times = perSecond(wait.count, was?.count, t, before?.t);
    const mean = times > 0 ? seconds / times : wait.seconds / wait.count;
    return { ...wait, busy: seconds, times, mean };
  }).sort((one, other) => other.seconds - one.seconds);
  keyed(body("waits"), rows, (wait) => wait.operation,
    (wait) => make("tr", {}, make("td", {}, make("i", { class: wait.operation }), wait.operation), make("td", { class: "n" }),
      make("td", { class: "n" }), make("td", { class: "n" })),
    (element, wait) => {
      setText(element.cells[1], rate(wait.busy));
      setText(element.cells[2], rate(wait.times));
      showCell(element.cells[3], duration(wait.mean), "old", wait.times === 0);
    });
  $("waits").hidden = rows.length === 0;
  showEmpty($("waits"), rows.length === 0);
}

// ---- state

function showState(state, { t, before }) {
  const was = before?.data;
  const per = (pick) => rate(perSecond(pick(state), was && pick(was), t, before?.t));
  const facts = [
    ["Sessions", count(state.sessions.count)],
    ["Sessions begun", `${per((all) => all.sessions.made)}/s`],
    ["Topics", count(state.topics.count)],
    ["Subscribers", count(state.topics.subscribers)],
    ["Messages published", `${per((all) => all.topics.published)}/s`],
  ];
  for (const [words, number] of [["Sessions evicted", state.sessions.evicted], ["Messages lost", state.topics.lost]]) {
    if (number > 0) {
      facts.push([words, count(number)]);
    }
  }
  const list = $("state");
  if (list.children.length !== facts.length * 2) {
    list.replaceChildren(...facts.flatMap(([name]) => [make("dt", {}, name), make("dd")]));
  }
  facts.forEach(([name, value], i) => {
    setText(list.children[i * 2], name);
    setText(list.children[i * 2 + 1], value);
  });
  const cells = (first) => make("tr", {}, make("td", { title: first }, first), make("td", { class: "n" }),
    make("td", { class: "n" }), make("td", { class: "n" }));
  keyed(body("dictionaries"), state.dictionaries, (dictionary) => dictionary.name, (dictionary) => cells(dictionary.name),
    (element, dictionary) => {
      setText(element.cells[1], count(dictionary.entries));
      setText(element.cells[2], `${(dictionary.used / dictionary.size * 100).toFixed(0)}\u2009%`);
      showCell(element.cells[3], count(dictionary.evictions), "zero", dictionary.evictions === 0);
    });
  $("dictionaries").hidden = state.dictionaries.length === 0;
  showHosts(state, t, before);
}

function showHosts(state, t, before) {
  const last = new Map((before?.data.hosts ?? []).map((host) => [host.host, host]));
  keyed(body("hosts"), state.hosts, (host) => host.host,
    (host) => make("tr", {}, make("td", { title: host.host }, host.host),
      ...[1, 2, 3, 4].map(() => make("td", { class: "n" }))),
    (element, host) => {
      const was = last.get(host.host);
      const times = perSecond(host.requests, was?.requests, t, before?.t);
      const seconds = perSecond(host.seconds, was?.seconds, t, before?.t);
      setText(element.cells[1], rate(times));
      showCell(element.cells[2], duration(times > 0 && seconds > 0 ? seconds / times : host.seconds / Math.max(1, host.requests)),
        "old", times === 0);
      setText(element.cells[3], count(host.open));
      showCell(element.cells[4], count(host.errors), "zero", host.errors === 0);
      element.cells[4].classList.toggle("alarm", host.errors > 0);
    });
  $("hosts-panel").hidden = state.hosts.length === 0;
}

// ---- slow requests

function breakdown(slow) {
  const waited = Object.entries(slow.waits);
  const rest = Math.max(0, slow.seconds - waited.reduce((sum, [, seconds]) => sum + seconds, 0));
  return [...waited, ["run", rest]].filter(([, seconds]) => seconds > slow.seconds * 0.002)
    .sort(([, one], [, other]) => other - one);
}

const WORDS = { run: "running" };

function makeSlow(slow) {
  const parts = breakdown(slow);
  const bar = make("span", { class: "bar" }, ...parts.map(([name, seconds]) => {
    const piece = make("i", { class: name });
    piece.style.width = `${Math.min(100, seconds / slow.seconds * 100).toFixed(2)}%`;
    return piece;
  }));
  return make("li", { title: `request ${slow.id}` }, make("span", { class: "line" }, slow.line), bar,
    make("span", { class: "took" }, duration(slow.seconds)), make("span", { class: "when" }),
    make("span", { class: "parts" }, parts.map(([name, seconds]) => `${WORDS[name] ?? name} ${duration(seconds)}`).join(" · ")));
}

function showSlow(all, { now }) {
  keyed($("slow"), all, (slow) => slow.id + slow.time, makeSlow, (element, slow) => {
    setText(element.querySelector(".when"), `${slow.status} · worker ${slow.worker} · ${ago(now - slow.time)}`);
  });
  const names = [...new Set(all.flatMap((slow) => breakdown(slow).map(([name]) => name)))].sort();
  keyed($("slow-legend"), names, (name) => name, (name) => make("span", {}, make("i", { class: name }), WORDS[name] ?? name), () => {});
  $("slow-legend").hidden = names.length === 0;
  showEmpty($("slow"), all.length === 0);
}

// ---- errors

function makeError() {
  return make("details", {}, make("summary", {}, make("span", { class: "count" }), make("span", { class: "signature" }),
    make("span", { class: "ago" })), make("div", { class: "detail" }, make("p"), make("pre")));
}

function showErrors(errors, { now }) {
  keyed($("errors"), errors.latest, (error) => error.signature, makeError, (element, error) => {
    const [total, signature, when] = element.querySelector("summary").children;
    setText(total, count(error.count));
    setText(signature, error.signature);
    setText(when, ago(now - error.last));
    const places = [error.routes.slice(0, 5).join(", "), error.hosts.slice(0, 5).join(", ")].filter((text) => text !== "");
    const words = [`First ${ago(now - error.first)}`, places.length > 0 ? `in ${places.join(" to ")}` : "",
      error.sample !== "" ? `as in ${error.sample}` : ""];
    setText(element.querySelector("p"), words.filter((text) => text !== "").join(" · "));
    setText(element.querySelector("pre"), [error.message, error.traceback].filter((text) => text !== "").join("\n"));
  });
  setText($("errors-note"), errors.total > 0 ? `${count(errors.total)} in ${count(errors.kinds)} ${errors.kinds === 1 ? "kind" : "kinds"}, the latest first` : "");
  showEmpty($("errors"), errors.latest.length === 0);
}

// ---- reloads

function showReloads(reloads, { now }) {
  keyed($("reloads"), reloads.latest, (reload) => reload.time, (reload) => make("li", {},
    reload.ok ? make("b", { class: "ok" }, `Generation ${reload.generation}`) : make("b", { class: "failed" }, "Failed"),
    make("span"), ...(reload.mistakes.length > 0 ? [make("pre", {}, reload.mistakes.join("\n"))] : [])),
  (element, reload) => {
    setText(element.querySelector("span"), `took ${duration(reload.seconds)} · ${ago(now - reload.time)}`);
  });
  setText($("reloads-note"), `generation ${reloads.generation} serves`);
  showEmpty($("reloads"), reloads.latest.length === 0);
}

export const PANELS = {
  workers: showWorkers, routes: showRoutes, waits: showWaits, state: showState, slow: showSlow, errors: showErrors,
  reloads: showReloads,
};
