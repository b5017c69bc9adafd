"""A proxy that records what a client was sent and when, and writes it as records.jsonl.

It stands between a benchmark tool and an OpenAI server. What it stamps is the moment at
which it has the first bytes of a request and at which it hands each event on, so that the
tool's own stamps are later by the loopback and the tool's event loop, and no more.

It makes replies that tell definitions apart: the chunk with the role, the text, that with
the finish_reason, the usage, the end marker and the end of the body come APART from each
other; every third chunk of text comes together with the next in one event, so that chunks
are not tokens; and the usage counts more tokens than the text has, so that it shows who
counted.
"""

import asyncio
import json
import time

APART = 0.080  # seconds
MORE_IN, MORE_OUT = 5, 1  # tokens that only the server's usage counts

CONTENT, USAGE = 1, 8  # docs/format-records.md


class Proxy:
    def __init__(self, port, count):
        """port is the server's; count gives the tokens of a text."""
        self.upstream, self.count = port, count
        self.origin, self.zero = time.time(), time.perf_counter_ns()
        self.records = []

    def now(self):
        return time.perf_counter_ns() - self.zero + 1

    async def serve(self):
        server = await asyncio.start_server(self.client, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    async def client(self, reader, writer):
        """Answers the requests of one connection."""
        try:
            while first := await reader.read(1):
                start = self.now()
                head, body = await message(reader, first)
                await self.answer(start, head, body, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, start, head, body, writer):
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        keep = [x for x in lines[1:] if x and x.split(":")[0].lower() not in
                ("connection", "content-length", "transfer-encoding", "expect", "accept-encoding", "upgrade",
                 "http2-settings")]
        up, down = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            down.write("\r\n".join([f"{method} {path} HTTP/1.1", *keep, f"Content-Length: {len(body)}",
                                    "Connection: close", "", ""]).encode("latin-1") + body)
            status, headers = await answer_head(up)
            if "text/event-stream" in headers.get("content-type", ""):
                await self.stream(start, json.loads(body), up, writer)
                return
            text = await whole(up, headers)
            writer.write((f"HTTP/1.1 {status} x\r\nContent-Type: {headers.get('content-type', 'text/plain')}\r\n"
                          f"Content-Length: {len(text)}\r\n\r\n").encode() + text)
            await writer.drain()
            if method == "POST" and path.endswith("/completions"):
                self.keep(start, json.loads(body), {"outcome": "failed", "done": self.now(), "failure": {
                    "class": "http_5xx" if status >= 500 else "http_4xx", "code": status, "type": "x", "message": "x"},
                    "http": {"status": status}, "tokens_out": -1})
        finally:
            down.close()

    async def stream(self, start, asked, up, writer):
        """Hands the events of a reply on, apart from each other, and keeps their times."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        arrivals, text, usage, before, last, sent = [], "", {}, None, start, 0
        async for kind, event in merged(events(up)):
            if kind != before and before is not None:
                await asyncio.sleep(max(0, APART - (self.now() - last) / 1e9))
            data = event.encode() + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            at = self.now()
            piece = said(event) if kind == "text" else ""
            code = {"text": CONTENT, "usage": USAGE}.get(kind, 0)
            arrivals.append([at - sent, code, self.count(piece), len(piece.encode())])
            text, before, last, sent = text + piece, kind, at, at
            if kind == "usage":
                usage = json.loads(event[6:])["usage"]
        await asyncio.sleep(APART)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        self.keep(start, asked, {
            "outcome": "ok", "done": self.now(), "streamed": True, "arrivals": arrivals, "http": {"status": 200},
            "tokens_out": self.count(text),
            "usage": {k: v for k, v in usage.items() if isinstance(v, int)}})

    def keep(self, start, asked, record):
        prompt = asked.get("prompt") or "".join(m["content"] if isinstance(m["content"], str) else
                         "".join(p.get("text", "") for p in m["content"]) for m in asked["messages"])
        want = asked.get("max_completion_tokens") or asked.get("max_tokens") or 0
        self.records.append({"index": len(self.records), "start": start, "sent": start, "want_out": want,
                             "tokens_in": self.count(prompt), "tokens_reasoning": -1, **record})

    def write(self, path, tool):
        """Writes what was recorded as records.jsonl."""
        origin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.origin)) + f".{int(self.origin % 1 * 1e9):09d}Z"
        run = {"version": "0", "id": tool, "origin": origin, "command": tool, "model": "simulated",
               "endpoint_type": "chat", "streaming": True, "simulated": False}
        ends = [r["done"] for r in self.records] or [1]
        starts = [r["start"] for r in self.records] or [1]
        with open(path, "w") as out:
            for line in [{"headway_records": 1, "run": run}, *self.records,
                         {"trailer": {"begin": min(starts), "end": max(ends)}}]:
                out.write(json.dumps(line) + "\n")


async def message(reader, first):
    """The head and the body of a request that begins with first."""
    head = first + await reader.readuntil(b"\r\n\r\n")
    lower = {k.strip().lower(): v.strip() for k, _, v in
             (x.partition(":") for x in head.decode("latin-1").split("\r\n")[1:])}
    if "chunked" in lower.get("transfer-encoding", ""):
        return head, b"".join([c async for c in chunks(reader)])
    return head, await reader.readexactly(int(lower.get("content-length", 0)))


async def answer_head(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    return int(lines[0].split()[1]), {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}


async def whole(reader, headers):
    if "chunked" in headers.get("transfer-encoding", ""):
        return b"".join([c async for c in chunks(reader)])
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()


async def chunks(reader):
    """The chunks of a body."""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")


async def events(up):
    """The events of a stream with their kind: role, text, finish, usage or done."""
    rest = b""
    async for chunk in chunks(up):
        rest += chunk
        while b"\n\n" in rest:
            event, rest = rest.split(b"\n\n", 1)
            yield kind_of(event.decode()), event.decode()


def kind_of(event):
    if event == "data: [DONE]":
        return "done"
    data = json.loads(event[6:])
    if not data["choices"]:
        return "usage"
    choice = data["choices"][0]
    if choice.get("text") or choice.get("delta", {}).get("content"):
        return "text"
    return "finish" if choice.get("finish_reason") else "role"


def said(event):
    choice = json.loads(event[6:])["choices"][0]
    return choice["text"] if "text" in choice else choice["delta"]["content"]


async def merged(stream):
    """Every third event with text together with the next; the usage counts more tokens."""
    held, seen = None, 0
    async for kind, event in stream:
        if kind == "text":
            seen += 1
            if held:
                data = json.loads(event[6:])
                choice, both = data["choices"][0], said(held) + said(event)
                choice.update({"text": both} if "text" in choice else {"delta": {"content": both}})
                event, held = "data: " + json.dumps(data), None
            elif seen % 3 == 0:
                held = event
                continue
        elif held:
            yield "text", held
            held = None
        if kind == "usage":
            data = json.loads(event[6:])
            data["usage"]["prompt_tokens"] += MORE_IN
            data["usage"]["completion_tokens"] += MORE_OUT
            data["usage"]["total_tokens"] += MORE_IN + MORE_OUT
            event = "data: " + json.dumps(data)
        yield kind, event
