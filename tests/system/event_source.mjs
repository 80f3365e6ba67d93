// node event_source.mjs EVENTSOURCE URL COUNT: the npm package's EventSource reads COUNT events of any type that matters
// and prints them as a JSON list of { type, data, id }. It says "open" on stderr each time it is connected.
const [entry, url, count] = process.argv.slice(2);
const { EventSource } = await import(entry);
const source = new EventSource(url);
const events = [];

function take(event) {
  events.push({ type: event.type, data: event.data, id: event.lastEventId });
  if (events.length === Number(count)) {
    source.close();
    console.log(JSON.stringify(events));
  }
}

source.onopen = () => console.error("open");
for (const type of ["message", "note", "join", "leave"]) {
  source.addEventListener(type, take);
}
