// node event_source.mjs EVENTSOURCE URL COUNT: the npm package's EventSource reads COUNT events of any type that matters
// and prints each as it comes, a line of JSON { type, data, id }. It says "open" on stderr each time it is connected.
const [entry, url, count] = process.argv.slice(2);
const { EventSource } = await import(entry);
const source = new EventSource(url);
let left = Number(count);

function take(event) {
  console.log(JSON.stringify({ type: event.type, data: event.data, id: event.lastEventId }));
  left -= 1;
  if (left === 0) {
    source.close();
  }
}

source.onopen = () => console.error("open");
for (const type of ["message", "note", "join", "leave"]) {
  source.addEventListener(type, take);
}
