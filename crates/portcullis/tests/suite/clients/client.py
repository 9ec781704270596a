"""What a program in Python does, with `requests` or `httpx` as they come. Prints a line of JSON for each call."""
import json
import sys

library, base, authority, key, weaker = sys.argv[1:6]
AUTHORITY = authority or None
NOTE = {"title": "t"}
LARGE = json.dumps({"title": "t" * (4 << 20)}).encode()
JSON = {"Content-Type": "application/json"}

def bearer(text):
    return {"Authorization": "Bearer " + text}

if library == "requests":
    import requests

    session = requests.Session()
elif library == "httpx":
    import ssl

    import httpx

    context = ssl.create_default_context(cafile=AUTHORITY) if AUTHORITY else True
    session = httpx.Client(http2=True, verify=context, follow_redirects=True, timeout=60)
else:
    sys.exit("no such library")

def call(name, method, path, headers=None, **more):
    if library == "requests":
        more["verify"] = AUTHORITY or True
    answer = session.request(method, base + path, headers=headers or {}, **more)
    told = dict(
        name=name,
        status=answer.status_code,
        length=answer.headers.get("content-length"),
        allow=answer.headers.get("allow"),
        body=answer.text,
    )
    print(json.dumps(told), flush=True)
    return answer

call("get", "GET", "/v1/notes/1", bearer(key))
call("post", "POST", "/v1/notes", bearer(key), json=NOTE)
call("put", "PUT", "/v1/notes/1", bearer(key), json=NOTE)
call("delete", "DELETE", "/v1/notes/1", bearer(key))
call("head", "HEAD", "/v1/notes/1", bearer(key))
call("options", "OPTIONS", "/v1/notes/1", bearer(key))
body = "data" if library == "requests" else "content"
call("too large", "POST", "/v1/notes", {**bearer(key), **JSON}, **{body: LARGE})
call("no key", "POST", "/v1/notes", JSON, **{body: LARGE})
call("no grant", "POST", "/v1/notes", {**bearer(weaker), **JSON}, **{body: LARGE})
call("no path", "POST", "/v1/nothing", {**bearer(key), **JSON}, **{body: LARGE})
call("chunks", "POST", "/v1/notes", {**bearer(key), **JSON}, **{body: iter([b'{"title":', b'"t"}'])})
call("again", "GET", "/v1/notes/1", bearer(key))
page = call("list", "GET", "/v1/pages?limit=1", bearer(key)).json()
while page["next"]:
    page = call("next", "GET", "/v1/pages?limit=1&cursor=" + page["next"], bearer(key)).json()
