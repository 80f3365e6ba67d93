// A flame graph: the width of a frame is its share, its children lie below it. With a second profile kept for comparison,
// colours show what grew (red) and what shrank (blue).

const LEVEL = 20; // pixels a level of the stack takes
const NARROWEST = 0.6; // pixels below which a frame is not drawn
const WORDS = { cpu: "CPU time", alloc: "allocation", wait: "waiting", block: "stops" };
const KINDS = { lua: "Lua", builtin: "Lua's own functions", native: "native", state: "the VM", wait: "waiting" };

const $ = (id) => document.getElementById(id);
const graph = $("graph");
let profile = null;
let kept = null; // the profile to compare with
let focus = null; // the node that fills the width
let pattern = null;
let order = "self"; // of the table: that, or "whole"

const seconds = (value) => (value >= 1 ? `${value.toFixed(2)} s` : value >= 1e-3 ? `${(value * 1e3).toFixed(1)} ms` : `${(value * 1e6).toFixed(0)} \u00b5s`);

function amount(value) {
  if (profile.unit === "nanoseconds") {
    return seconds(value / 1e9);
  }
  if (profile.unit === "bytes") {
    const steps = ["B", "KiB", "MiB", "GiB"];
    let step = 0;
    while (value >= 1024 && step < steps.length - 1) {
      value /= 1024;
      step += 1;
    }
    return `${value.toFixed(step ? 1 : 0)} ${steps[step]}`;
  }
  return String(value);
}

const share = (value, whole) => `${((100 * value) / Math.max(whole, 1)).toFixed(1)} %`;
const place = (node) => (node.file ? `${node.file}${node.line ? `:${node.line}` : ""}` : "");
const title = (node) => (node.kind === "lua" && node.file ? `${node.name} ${place(node)}` : node.name);
const key = (node) => `${node.name}\u0000${node.file ?? ""}\u0000${node.line ?? 0}`;

// Gives each node its parent, and its share in the kept profile's tree if there is one.
function prepare(node, parent, other) {
  node.parent = parent;
  node.before = other ? other.value : 0;
  const others = new Map((other?.children ?? []).map((child) => [key(child), child]));
  for (const child of node.children ?? []) {
    prepare(child, node, others.get(key(child)));
  }
}

function depthOf(node) {
  let depth = 0;
  for (const child of node.children ?? []) {
    depth = Math.max(depth, depthOf(child));
  }
  return depth + 1;
}

function matches(node) {
  return pattern !== null && (pattern.test(node.name) || pattern.test(node.file ?? ""));
}

// The change of a node's share since the kept profile, from -1 to 1.
function change(node) {
  return node.value / Math.max(profile.total, 1) - node.before / Math.max(kept.total, 1);
}

function colour(element, node) {
  element.className = node.parent ? node.kind : "root";
  if (kept && node.parent) {
    const by = Math.max(-1, Math.min(1, change(node) * 5));
    const hue = by > 0 ? 8 : 214;
    element.style.background = Math.abs(by) < 0.005 ? "" : `hsl(${hue} 75% ${82 - Math.abs(by) * 34}%)`;
    if (Math.abs(by) < 0.005) {
      element.className = "root";
    }
  }
  if (matches(node)) {
    element.classList.add("match");
  }
}

function describe(node) {
  const parts = [title(node), amount(node.value), `${share(node.value, profile.total)} of all`];
  if (node.parent) {
    parts.push(`${share(node.value, node.parent.value)} of its caller`);
  }
  if (kept) {
    const points = change(node) * 100;
    parts.push(`${points >= 0 ? "+" : ""}${points.toFixed(1)} points since`);
  }
  return parts.join("  \u00b7  ");
}

function frame(node, left, width, level, above) {
  const element = document.createElement("button");
  element.type = "button";
  element.style.left = `${left}px`;
  element.style.width = `${Math.max(width - 0.5, 0.5)}px`;
  element.style.top = `${level * LEVEL}px`;
  colour(element, node);
  if (above) {
    element.classList.add("above");
  }
  if (width > 30) {
    element.textContent = title(node);
  }
  element.setAttribute("aria-label", describe(node));
  element.addEventListener("mouseenter", () => { $("detail").textContent = describe(node); });
  element.addEventListener("focus", () => { $("detail").textContent = describe(node); });
  element.addEventListener("click", () => zoom(node));
  graph.append(element);
}

function drawBelow(node, left, width, level) {
  let at = left;
  for (const child of [...(node.children ?? [])].sort((a, b) => b.value - a.value)) {
    const part = (width * child.value) / Math.max(node.value, 1);
    if (part >= NARROWEST) {
      frame(child, at, part, level, false);
      drawBelow(child, at, part, level + 1);
    }
    at += part;
  }
}

function draw() {
  graph.replaceChildren();
  const width = graph.clientWidth;
  const above = [];
  for (let node = focus.parent; node; node = node.parent) {
    above.unshift(node);
  }
  above.forEach((node, level) => frame(node, 0, width, level, true));
  frame(focus, 0, width, above.length, false);
  drawBelow(focus, 0, width, above.length + 1);
  graph.style.height = `${(above.length + depthOf(focus)) * LEVEL + 8}px`;
  $("reset").disabled = focus === profile.root;
}

function zoom(node) {
  focus = node;
  draw();
  $("detail").textContent = describe(node);
}

// Self and whole of each function line, a recursion counted once.
function totals() {
  const byKey = new Map();
  const walk = (node, open) => {
    const id = key(node);
    let entry = byKey.get(id);
    if (!entry) {
      entry = { node, self: 0, whole: 0 };
      byKey.set(id, entry);
    }
    const inner = (node.children ?? []).reduce((sum, child) => sum + child.value, 0);
    entry.self += node.value - inner;
    const fresh = !open.has(id);
    if (fresh) {
      entry.whole += node.value;
      open.add(id);
    }
    for (const child of node.children ?? []) {
      walk(child, open);
    }
    if (fresh) {
      open.delete(id);
    }
  };
  for (const child of profile.root.children ?? []) {
    walk(child, new Set());
  }
  return [...byKey.values()];
}

function cell(text, className) {
  const element = document.createElement("td");
  element.className = className ?? "";
  element.textContent = text;
  return element;
}

function drawTable() {
  const rows = totals().filter((entry) => entry[order] > 0).sort((a, b) => b[order] - a[order]).slice(0, 30).map((entry) => {
    const row = document.createElement("tr");
    const name = cell(entry.node.name);
    const mark = document.createElement("i");
    mark.className = entry.node.kind;
    name.prepend(mark);
    row.append(cell(`${amount(entry.self)}  ${share(entry.self, profile.total)}`, "number"),
      cell(`${amount(entry.whole)}  ${share(entry.whole, profile.total)}`, "number"), name, cell(place(entry.node)));
    return row;
  });
  $("top").replaceChildren(...rows);
}

// By self or by whole, in descending order.
function orderBy(column) {
  order = column;
  for (const heading of document.querySelectorAll("th[data-order]")) {
    heading.setAttribute("aria-sort", heading.dataset.order === order ? "descending" : "none");
  }
  $("top").closest("table").dataset.order = order;
  drawTable();
}

function drawLegend() {
  const parts = kept ? [["hsl(8 75% 60%)", "grew"], ["hsl(214 75% 60%)", "shrank"]] : Object.entries(KINDS);
  $("legend").replaceChildren(...parts.flatMap(([mark, words]) => {
    const element = document.createElement("i");
    if (kept) {
      element.style.background = mark;
    } else {
      element.className = mark;
    }
    return [element, words];
  }));
}

function find() {
  const text = $("pattern").value.trim();
  pattern = null;
  if (text !== "") {
    try {
      pattern = new RegExp(text, "i");
    } catch {
      pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    }
  }
  let found = 0;
  const walk = (node) => {
    if (matches(node)) {
      found += node.value;
    } else {
      (node.children ?? []).forEach(walk);
    }
  };
  if (profile) {
    (profile.root.children ?? []).forEach(walk);
    draw();
    $("found").textContent = pattern ? share(found, profile.total) : "";
  }
}

function show(data) {
  profile = data;
  prepare(profile.root, null, kept?.root);
  focus = profile.root;
  const lasted = profile.duration > 0 ? ` in ${seconds(profile.duration / 1e9)}` : "";
  $("summary").textContent = profile.total > 0
    ? [`${amount(profile.total)} of ${WORDS[profile.type] ?? profile.type}${lasted}`, ...profile.comments].join(". ")
    : ["Nothing was recorded: was the server idle?", ...profile.comments].join(" ");
  $("keep").disabled = false;
  $("forget").hidden = kept === null;
  drawLegend();
  drawTable();
  find();
  $("detail").textContent = describe(focus);
}

async function record(type, length) {
  const button = document.querySelector("#record button");
  const progress = $("progress");
  const query = `type=${encodeURIComponent(type)}&seconds=${length}`;
  const began = performance.now();
  const timer = setInterval(() => { progress.value = Math.min(0.99, (performance.now() - began) / 1000 / length); }, 100);
  button.disabled = true;
  progress.hidden = false;
  $("summary").textContent = `Recording for ${length} seconds\u2026`;
  try {
    const response = await fetch(`/debug/flame.json?${query}`);
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      throw new Error(problem.detail ?? `the server answered ${response.status}`);
    }
    show(await response.json());
  } catch (error) {
    $("summary").textContent = `No recording: ${error.message}`;
  } finally {
    clearInterval(timer);
    button.disabled = false;
    progress.hidden = true;
  }
}

$("record").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  record(fields.type.value, Number(fields.seconds.value));
});
$("find").addEventListener("submit", (event) => event.preventDefault());
$("pattern").addEventListener("input", find);
for (const heading of document.querySelectorAll("th[data-order]")) {
  heading.querySelector("button").addEventListener("click", () => orderBy(heading.dataset.order));
}
$("reset").addEventListener("click", () => zoom(profile.root));
$("keep").addEventListener("click", () => {
  kept = profile;
  $("summary").textContent = "Record again: what changed will be coloured.";
  $("forget").hidden = false;
});
$("forget").addEventListener("click", () => { kept = null; show(profile); });
addEventListener("resize", () => { if (profile) { draw(); } });
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && profile && focus !== profile.root) {
    zoom(profile.root);
  } else if (event.key === "/" && event.target.tagName !== "INPUT") {
    event.preventDefault();
    $("pattern").focus();
  }
});

drawLegend();
const given = JSON.parse($("data").textContent);
if (given) {
  $("record").hidden = true;
  $("keep").hidden = true;
  show(given);
} else {
  const query = new URLSearchParams(location.search);
  const form = $("record").elements;
  if (query.has("type")) {
    form.type.value = query.get("type");
  }
  if (query.has("seconds")) {
    form.seconds.value = query.get("seconds");
    record(form.type.value || "cpu", Number(form.seconds.value) || 10);
  }
}
