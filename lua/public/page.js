// The live counter, and the form that tries a route.

const total = document.getElementById("total");
const state = document.getElementById("state");

function here(count) {
  return count === 1 ? "one page is open now" : `${count} pages are open now`;
}

function show(count) {
  if (total.textContent !== String(count)) {
    total.textContent = count;
    total.classList.remove("changed");
    void total.offsetWidth; // begins the animation anew
    total.classList.add("changed");
  }
}

async function look() {
  const response = await fetch("/visitors/now");
  if (response.ok) {
    const now = await response.json();
    show(now.total);
    state.textContent = here(now.here);
  }
}

const events = new EventSource("/visitors");
events.onmessage = (event) => show(JSON.parse(event.data).total);
events.onopen = () => { state.className = "live"; look(); };
events.onerror = () => { state.textContent = "reconnecting\u2026"; state.className = ""; };
events.addEventListener("join", look);
events.addEventListener("leave", look);

// A page that the browser keeps for its "back" button is not open.
addEventListener("pagehide", () => events.close());
addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });

const form = document.getElementById("try");
const path = document.getElementById("path");
const answer = document.getElementById("answer");

async function send(target) {
  answer.hidden = false;
  answer.textContent = "\u2026";
  const started = performance.now();
  try {
    const response = await fetch(target, { headers: { accept: "application/json, text/plain" } });
    const text = await response.text();
    const spent = (performance.now() - started).toFixed(1);
    const type = response.headers.get("content-type") ?? "no body";
    answer.textContent = `${response.status}  ${type}  ${spent} ms\n\n${text.slice(0, 2000)}`;
  } catch (error) {
    answer.textContent = `no answer: ${error.message}`;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const target = path.value.startsWith("/") ? path.value : `/${path.value}`;
  send(target);
});

for (const link of document.querySelectorAll("a[data-try]")) {
  const target = link.getAttribute("href");
  if (target !== "/" && target !== "/visitors") {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      path.value = target;
      send(target);
    });
  }
}
