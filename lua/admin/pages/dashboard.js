// The dashboard: what comes as events is shown, the tiles are drawn from the last minutes of points.
import { Sparkline, bytes, bytesParts, count, durationParts, lasting, make, rate, setText } from "./drawing.js";
import { PANELS } from "./panels.js";

const $ = (id) => document.getElementById(id);
const SPAN = 120; // seconds

const points = [];
const parts = {};
const latest = {}; // what was shown of each last, and before that: { t, data, before }
let wanted = false;

// What is shown of a point, given the one before it: rates are over the second between them.
function derive(point, last) {
  const seconds = last ? point.t - last.t : 0;
  const per = (name) => seconds > 0 ? Math.max(0, point[name] - last[name]) / seconds : 0;
  return {
    t: point.t, point, requests: per("requests"), errors: per("errors"), client: per("client_errors"),
    cpu: per("cpu"), sent: per("sent"), received: per("received"), p99: point.p99, p50: point.p50,
  };
}

function takePoint(point) {
  const last = points[points.length - 1];
  if (last && point.t <= last.t) {
    return;
  }
  points.push(derive(point, last?.point));
  while (points[0].t < point.t - SPAN - 5) {
    points.shift();
  }
}

const TILES = [
  { name: "Requests", unit: "/s", of: (p) => p.requests, least: 1, value: (p) => [rate(p.requests), "/s"],
    note: (p) => `${count(p.point.requests)} in all` },
  { name: "Latency, p99", of: (p) => p.p99, least: 0.0001, note: (p) => p.point.latencies > 0
    ? `median ${durationParts(p.p50).join("\u2009")}` : "nothing was asked just now",
    value: (p) => p.point.latencies > 0 ? durationParts(p.p99) : ["–", ""] },
  { name: "Errors", of: (p) => p.errors, least: 1, value: (p) => [rate(p.errors), "/s"], bad: (p) => p.errors > 0,
    note: (p) => `${count(p.point.errors)} in all · 4xx ${rate(p.client)}/s` },
  { name: "Processor", of: (p) => p.cpu, least: 1, value: (p) => [(p.cpu * 100).toFixed(0), "%"],
    note: () => `${parts.workers?.length ?? 0} workers` },
  { name: "Connections", of: (p) => p.point.open, least: 4, value: (p) => [count(p.point.open), ""],
    note: (p) => `in ${bytes(p.received)}/s · out ${bytes(p.sent)}/s` },
  { name: "Memory", of: (p) => p.point.resident, least: 1, value: (p) => bytesParts(p.point.resident),
    note: (p) => `Lua ${bytes(p.point.heap)}` },
];

for (const tile of TILES) {
  tile.line = new Sparkline(SPAN, tile.least);
  tile.value_ = make("strong");
  tile.note_ = make("p");
  tile.element = make("article", { class: "tile" }, make("h2", {}, tile.name), tile.value_, tile.note_, tile.line.svg);
  $("tiles").append(tile.element);
}

function showTiles() {
  const last = points[points.length - 1];
  if (!last) {
    return;
  }
  for (const tile of TILES) {
    const [number, unit] = tile.value(last);
    tile.value_.replaceChildren(number, make("small", {}, unit));
    setText(tile.note_, tile.note(last));
    tile.element.classList.toggle("bad", tile.bad?.(last) ?? false);
    tile.line.draw(points.slice(1).map((point) => [point.t, tile.of(point)]));
  }
}

function showAbout() {
  const server = parts.server;
  if (server) {
    const where = server.addresses.map((address) => address.replace(/^http:\/\//, "")).join(", ");
    const since = (points[points.length - 1]?.point.time ?? server.started) - server.started;
    setText($("about"), `${where} · version ${server.version} · up ${lasting(since)}`);
    document.title = `${where} – Perigee`;
  }
}

// All that came in one burst is shown at once.
function show() {
  wanted = false;
  const now = points[points.length - 1];
  showAbout();
  showTiles();
  for (const [name, panel] of Object.entries(PANELS)) {
    if (parts[name] !== undefined && now) {
      const last = latest[name];
      const before = last && last.t < now.t ? { t: last.t, data: last.data } : last?.before;
      latest[name] = { t: now.t, data: parts[name], before };
      panel(parts[name], { now: now.point.time, t: now.t, before });
    }
  }
}

function take(name, data) {
  if (name === "history") {
    points.length = 0;
    data.forEach(takePoint);
  } else if (name === "point") {
    takePoint(data);
  } else {
    parts[name] = data;
  }
  if (!wanted) {
    wanted = true;
    setTimeout(show, 20);
  }
}

function setLive(live, words) {
  document.body.classList.toggle("stale", !live);
  setText($("live").querySelector("span"), words);
}

function listen() {
  const source = new EventSource("/live");
  for (const name of ["history", "point", ...Object.keys(PANELS), "server"]) {
    source.addEventListener(name, (event) => {
      setLive(true, "live");
      take(name, JSON.parse(event.data));
    });
  }
  source.addEventListener("error", () => {
    setLive(false, "no connection");
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(listen, 2000);
    }
  });
}

function tell(good, words, more) {
  const outcome = $("outcome");
  outcome.classList.toggle("bad", !good);
  outcome.querySelector("p").textContent = words;
  outcome.querySelector("pre").textContent = more;
  outcome.hidden = false;
  clearTimeout(tell.timer);
  if (good) {
    tell.timer = setTimeout(() => { outcome.hidden = true; }, 6000);
  }
}

async function reload() {
  const button = $("reload");
  button.disabled = true;
  button.textContent = "Reloading…";
  try {
    const response = await fetch("/reload", { method: "POST" });
    const answer = await response.json();
    if (response.ok) {
      tell(true, `Generation ${answer.generation} serves.`, "");
    } else {
      tell(false, `Not reloaded: ${answer.detail ?? answer.title}.`, (answer.mistakes ?? []).join("\n"));
    }
  } catch (error) {
    tell(false, `Not reloaded: ${error.message}.`, "");
  } finally {
    button.disabled = false;
    button.textContent = "Reload";
    button.focus();
  }
}

$("reload").addEventListener("click", reload);
$("outcome").querySelector("button").addEventListener("click", () => { $("outcome").hidden = true; });
addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    $("outcome").hidden = true;
  }
});
listen();
