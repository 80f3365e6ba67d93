// Elements, numbers as words, lines.

// An element. Text is always text: nothing that the server says is read as HTML.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

// Has `parent` hold one child for each item, in order; a child stays the same as long as its key does, so that focus and
// selection do. `create(item)` makes it, `update(child, item)` shows the item.
export function keyed(parent, items, key, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, i) => {
    const name = String(key(item));
    let child = known.get(name);
    if (child) {
      known.delete(name);
    } else {
      child = create(item);
      child.dataset.key = name;
    }
    if (parent.children[i] !== child) {
      parent.insertBefore(child, parent.children[i] ?? null);
    }
    update(child, item);
  });
  known.forEach((child) => child.remove());
}

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (number) => COUNT.format(number);

// Three digits, with what they are of.
function scaled(number, units, step) {
  let i = 0;
  while (number >= step * 0.9995 && i < units.length - 1) {
    number /= step;
    i += 1;
  }
  return [number >= 99.95 ? number.toFixed(0) : number >= 9.995 ? number.toFixed(1) : number.toFixed(2), units[i]];
}

export function rate(number) {
  if (number === 0) {
    return "0";
  }
  return number >= 100 ? count(number) : number >= 9.95 ? number.toFixed(0) : number.toFixed(1);
}

export function durationParts(seconds) {
  if (seconds >= 60) {
    return [(seconds / 60).toFixed(1), "min"];
  }
  return seconds >= 1 ? scaled(seconds, ["s"], Infinity) : scaled(seconds * 1e6, ["µs", "ms", "s"], 1000);
}

export const duration = (seconds) => durationParts(seconds).join("\u2009");

export const bytesParts = (number) => number < 1000 ? [number.toFixed(0), "B"]
  : scaled(number / 1000, ["kB", "MB", "GB", "TB"], 1000);

export const bytes = (number) => bytesParts(number).join("\u2009");

export function ago(seconds) {
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= length) {
      return `${Math.floor(seconds / length)}\u2009${unit} ago`;
    }
  }
  return seconds < 2 ? "now" : `${Math.floor(seconds)}\u2009s ago`;
}

export function lasting(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, length]) => seconds >= length);
  if (first < 0) {
    return "0\u2009s";
  }
  return parts.slice(first, first + 2).map(([unit, length], i) => {
    const all = Math.floor(seconds / length);
    return `${i === 0 ? all : all % (parts[first][1] / length)}\u2009${unit}`;
  }).join(" ");
}

const SVG = "http://www.w3.org/2000/svg";

// A line over the last `span` seconds, or as many as are known, and the area below it. Its scale begins at 0 and never
// ends below `least`.
export class Sparkline {
  constructor(span, least) {
    this.span = span;
    this.least = least;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", "0 0 100 40");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.area = this.svg.appendChild(document.createElementNS(SVG, "path"));
    this.area.setAttribute("class", "area");
    this.line = this.svg.appendChild(document.createElementNS(SVG, "path"));
    this.line.setAttribute("class", "line");
  }

  // `values`: [time, number], the latest last.
  draw(values) {
    const end = values.length > 0 ? values[values.length - 1][0] : 0;
    const shown = values.filter(([time]) => time >= end - this.span);
    if (shown.length < 2) {
      this.line.setAttribute("d", "");
      this.area.setAttribute("d", "");
      return;
    }
    const span = Math.min(this.span, Math.max(this.span / 6, end - shown[0][0]));
    const most = Math.max(this.least, ...shown.map(([, value]) => value)) * 1.08;
    const across = (time) => (100 - (end - time) / span * 100).toFixed(2);
    const place = ([time, value]) => `${across(time)} ${(39 - value / most * 38).toFixed(2)}`;
    const path = `M${shown.map(place).join("L")}`;
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", `${path}L100 40L${across(shown[0][0])} 40Z`);
  }
}
