// One room: what is said arrives as server-sent events, what one says is posted.

const { room, name } = document.body.dataset;
const messages = document.getElementById("messages");
const members = document.getElementById("members");
const state = document.getElementById("state");
const say = document.getElementById("say");
const text = document.getElementById("text");

function element(tag, className, content) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
}

function add(item) {
  const atEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 60;
  messages.append(item);
  if (atEnd) {
    messages.scrollTop = messages.scrollHeight;
  }
}

function show(message) {
  const item = element("li", message.name === name ? "own" : "", "");
  const time = new Date(message.at * 1000);
  const at = element("time", "", time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  at.dateTime = time.toISOString();
  item.append(element("b", "", message.name), at, element("p", "", message.text));
  add(item);
}

let asked = 0;

// Answers may overtake each other: the one to the last question is the newest.
async function showMembers() {
  const turn = ++asked;
  const response = await fetch(`/rooms/${room}/members`);
  const present = response.ok ? await response.json() : null;
  if (present && turn === asked) {
    const names = present.map((member) => member.name).sort();
    members.replaceChildren(...names.map((who) => element("li", who === name ? "own" : "", who)));
  }
}

const events = new EventSource(`/rooms/${room}/events`);
events.onopen = () => { state.textContent = "live"; state.className = "live"; showMembers(); };
events.onerror = () => {
  state.textContent = events.readyState === EventSource.CLOSED ? "you left" : "reconnecting\u2026";
  state.className = "";
};
events.onmessage = (event) => show(JSON.parse(event.data));
for (const [kind, words] of [["join", "came in"], ["leave", "left"]]) {
  events.addEventListener(kind, (event) => {
    add(element("li", "event", `${JSON.parse(event.data).name} ${words}`));
    showMembers();
  });
}

// A page that the browser keeps for its "back" button must not seem to be here still.
addEventListener("pagehide", () => events.close());
addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });

say.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch(`/rooms/${room}/messages`, { method: "POST", body: new URLSearchParams({ text: text.value }) });
  if (response.ok) {
    text.value = "";
  } else if (response.status === 401) {
    location.assign("/");
  } else {
    state.textContent = `not sent: ${response.status}`;
  }
  text.focus();
});
