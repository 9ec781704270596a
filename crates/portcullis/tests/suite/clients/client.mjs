// What a program in Node does with `fetch` as it comes. Prints a line of JSON for each call.
const [base, key, weaker] = process.argv.slice(2);
const note = JSON.stringify({ title: "t" });
const large = JSON.stringify({ title: "t".repeat(4 << 20) });
const bearer = (text) => ({ authorization: `Bearer ${text}` });
const json = { "content-type": "application/json" };

async function call(name, method, path, headers = {}, body = undefined, more = {}) {
  const answer = await fetch(base + path, { method, headers, body, ...more });
  const text = await answer.text();
  const told = {
    name,
    status: answer.status,
    length: answer.headers.get("content-length"),
    allow: answer.headers.get("allow"),
    body: text,
  };
  console.log(JSON.stringify(told));
  return text;
}

const mine = bearer(key);
await call("get", "GET", "/v1/notes/1", mine);
await call("post", "POST", "/v1/notes", { ...mine, ...json }, note);
await call("put", "PUT", "/v1/notes/1", { ...mine, ...json }, note);
await call("delete", "DELETE", "/v1/notes/1", mine);
await call("head", "HEAD", "/v1/notes/1", mine);
await call("options", "OPTIONS", "/v1/notes/1", mine);
await call("too large", "POST", "/v1/notes", { ...mine, ...json }, large);
await call("no key", "POST", "/v1/notes", json, large);
await call("no grant", "POST", "/v1/notes", { ...bearer(weaker), ...json }, large);
await call("no path", "POST", "/v1/nothing", { ...mine, ...json }, large);
const pieces = new ReadableStream({
  start(to) {
    for (const piece of ['{"title":', '"t"}']) to.enqueue(new TextEncoder().encode(piece));
    to.close();
  },
});
await call("chunks", "POST", "/v1/notes", { ...mine, ...json }, pieces, { duplex: "half" });
await call("again", "GET", "/v1/notes/1", mine);
for (let next = ""; next !== null; ) {
  const name = next === "" ? "list" : "next";
  next = JSON.parse(await call(name, "GET", `/v1/pages?limit=1${next && `&cursor=${next}`}`, mine)).next;
}
