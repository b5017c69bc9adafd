#!/usr/bin/env python3
"""A small transformer server with an OpenAI-compatible API, to be measured.

It is a real engine, if a plain one: a Llama of the given shape with random
weights in bfloat16 on one GPU, continuous batching, a paged KV cache with
prefix caching, a Triton kernel for decode attention, and CUDA graphs of the
decode step. Prompts are computed whole and one after the other, and first.
Weights are random since speed does not depend on them; so are the replies.

It needs torch, triton, aiohttp and tokenizers.

    python3 server.py --port 8000 --model llama-3.1-8b --tokenizer DIR

Its log has the line from which Dynamo's profiler reads vLLM's cache size.
"""
import argparse
import asyncio
import collections
import dataclasses
import hashlib
import json
import math
import queue
import re
import sys
import threading
import time
import uuid

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from aiohttp import web
from tokenizers import Tokenizer
from torch.nn.attention.bias import causal_lower_right

PAGE = 64  # tokens in a page of the KV cache

SHAPES = {  # layers, hidden, heads, kv heads, head dim, ffn, vocabulary
    "llama-3.1-8b": (32, 4096, 32, 8, 128, 14336, 128256),
    "tiny": (2, 512, 8, 2, 128, 1024, 8192),
}
BATCHES = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512]


@triton.jit
def paged_attention(q_ptr, k_ptr, v_ptr, table_ptr, len_ptr, acc_ptr, top_ptr, sum_ptr, scale, width,
                    heads: tl.constexpr, kv: tl.constexpr, dim: tl.constexpr, page: tl.constexpr,
                    rows: tl.constexpr, splits: tl.constexpr):
    """Attention of one query token per sequence over a share of its pages."""
    b, h, s = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    group: tl.constexpr = heads // kv
    n = tl.load(len_ptr + b)
    pages = tl.cdiv(n, page)
    per = tl.cdiv(pages, splits)
    first = s * per
    last = tl.minimum(first + per, pages)
    r, d, t = tl.arange(0, rows), tl.arange(0, dim), tl.arange(0, page)
    live = r < group
    q = tl.load(q_ptr + (b * heads + h * group + r[:, None]) * dim + d[None, :], mask=live[:, None], other=0.0)
    top = tl.full([rows], -float("inf"), tl.float32)
    total = tl.zeros([rows], tl.float32)
    acc = tl.zeros([rows, dim], tl.float32)
    for p in range(first, last):
        at = tl.load(table_ptr + b * width + p).to(tl.int64)
        base = (at * kv + h) * page * dim
        k = tl.load(k_ptr + base + t[None, :] * dim + d[:, None])
        score = tl.dot(q, k) * scale
        score = tl.where((p * page + t)[None, :] < n, score, -float("inf"))
        peak = tl.maximum(top, tl.max(score, 1))
        w = tl.exp(score - peak[:, None])
        fade = tl.exp(top - peak)
        v = tl.load(v_ptr + base + t[:, None] * dim + d[None, :])
        acc = acc * fade[:, None] + tl.dot(w.to(v.dtype), v)
        total = total * fade + tl.sum(w, 1)
        top = peak
    out = (b * heads + h * group + r) * splits + s
    tl.store(acc_ptr + out[:, None] * dim + d[None, :], acc, mask=live[:, None])
    tl.store(top_ptr + out, top, mask=live)
    tl.store(sum_ptr + out, total, mask=live)


class Model:
    """The weights, and one step of a prompt or of a batch."""

    def __init__(self, shape, pages, context):
        self.layers, self.hidden, self.heads, self.kv, self.dim, self.ffn, self.vocab = shape
        self.width = math.ceil(context / PAGE)
        put = dict(device="cuda", dtype=torch.bfloat16)

        def weight(rows, columns):
            return torch.empty(rows, columns, **put).normal_(0, columns**-0.5)

        self.every = torch.arange(self.kv, device="cuda")
        self.embedding = weight(self.vocab, self.hidden)
        self.head = weight(self.vocab, self.hidden)
        self.norms = torch.ones(2 * self.layers + 1, self.hidden, **put)
        self.qkv = [weight((self.heads + 2 * self.kv) * self.dim, self.hidden) for _ in range(self.layers)]
        self.out = [weight(self.hidden, self.heads * self.dim) for _ in range(self.layers)]
        self.up = [weight(2 * self.ffn, self.hidden) for _ in range(self.layers)]
        self.down = [weight(self.hidden, self.ffn) for _ in range(self.layers)]
        # The last page takes what padding rows write.
        self.k = torch.zeros(self.layers, pages + 1, self.kv, PAGE, self.dim, **put)
        self.v = torch.zeros_like(self.k)
        angle = torch.arange(context + 1, device="cuda")[:, None] / 500000 ** (torch.arange(0, self.dim, 2, device="cuda") / self.dim)
        self.cos, self.sin = angle.cos().to(torch.bfloat16), angle.sin().to(torch.bfloat16)

    def rotate(self, x, at):
        a, b = x.chunk(2, -1)
        cos, sin = self.cos[at][:, None], self.sin[at][:, None]
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def step(self, tokens, at, page, slot, attend):
        """What the last layer says of every token; attend(layer, q) sees the cache with them."""
        x = self.embedding[tokens]
        n = len(tokens)
        for i in range(self.layers):
            y = F.rms_norm(x, (self.hidden,), self.norms[2 * i], 1e-5) @ self.qkv[i].T
            q, k, v = y.view(n, -1, self.dim).split([self.heads, self.kv, self.kv], 1)
            q, k = self.rotate(q, at), self.rotate(k, at)
            place = (page[:, None], self.every[None], slot[:, None])
            self.k[i].index_put_(place, k)
            self.v[i].index_put_(place, v)
            x = x + attend(i, q).view(n, -1) @ self.out[i].T
            g, u = (F.rms_norm(x, (self.hidden,), self.norms[2 * i + 1], 1e-5) @ self.up[i].T).chunk(2, -1)
            x = x + (F.silu(g) * u) @ self.down[i].T
        return x

    def last(self, x):
        return (F.rms_norm(x, (self.hidden,), self.norms[-1], 1e-5) @ self.head.T).argmax(-1)

    @torch.no_grad()
    def prefill(self, tokens, start, table):
        """Computes tokens[start:] of a sequence and gives what comes of the last."""
        n = len(tokens)
        at = torch.arange(start, n, device="cuda")
        table = torch.tensor(table, device="cuda")
        pages = table[: math.ceil(n / PAGE)]
        page, slot = table[at // PAGE], at % PAGE

        def attend(i, q):
            def whole(cache):
                return cache[i][pages].transpose(0, 1).reshape(1, self.kv, -1, self.dim)[:, :, :n]
            y = F.scaled_dot_product_attention(
                q.transpose(0, 1)[None], whole(self.k).repeat_interleave(self.heads // self.kv, 1),
                whole(self.v).repeat_interleave(self.heads // self.kv, 1), attn_mask=causal_lower_right(len(q), n))
            return y[0].transpose(0, 1)

        x = self.step(torch.tensor(tokens[start:], device="cuda"), at, page, slot, attend)
        return x[-1:]

    def attention(self, i, q, table, lengths, splits):
        b = len(q)
        acc = torch.empty(b, self.heads, splits, self.dim, device="cuda")
        top, total = (torch.empty(b, self.heads, splits, device="cuda") for _ in range(2))
        paged_attention[(b, self.kv, splits)](
            q.contiguous(), self.k[i], self.v[i], table, lengths, acc, top, total, self.dim**-0.5, self.width,
            self.heads, self.kv, self.dim, PAGE, max(16, self.heads // self.kv), splits, num_warps=4)
        w = (top - top.amax(-1, keepdim=True)).exp()
        y = (acc * w[..., None]).sum(2) / (total * w).sum(-1, keepdim=True)
        return y.to(torch.bfloat16)


class Decoder:
    """The decode step of one batch size as a CUDA graph."""

    def __init__(self, model, batch, spare):
        self.model, self.batch, self.spare = model, batch, spare
        whole = dict(device="cuda", dtype=torch.int64)
        self.tokens, self.lengths = torch.zeros(batch, **whole), torch.ones(batch, **whole)
        self.table = torch.full((batch, model.width), spare, **whole)
        self.splits = max(1, min(32, 256 // (batch * model.kv)))
        with torch.no_grad():
            stream = torch.cuda.Stream()
            with torch.cuda.stream(stream):
                self.step()
            stream.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.next = self.step()

    def step(self):
        at = self.lengths - 1
        page = self.table.gather(1, (at // PAGE)[:, None])[:, 0]
        attend = lambda i, q: self.model.attention(i, q, self.table, self.lengths, self.splits)
        return self.model.last(self.model.step(self.tokens, at, page, at % PAGE, attend))

    def run(self, sequences):
        n = len(sequences)
        tokens, lengths = [s.tokens[-1] for s in sequences], [len(s.tokens) for s in sequences]
        idle = self.batch - n
        self.tokens.copy_(torch.tensor(tokens + [0] * idle), non_blocking=True)
        self.lengths.copy_(torch.tensor(lengths + [1] * idle), non_blocking=True)
        for i, s in enumerate(sequences):
            if s.row != (self, i):
                self.table[i, : len(s.table)].copy_(torch.tensor(s.table))
                s.row = (self, i)
        if idle:
            self.table[n:, 0] = self.spare
        self.graph.replay()
        return self.next[:n].tolist()


@dataclasses.dataclass(eq=False)
class Sequence:
    tokens: list
    want: int
    said: asyncio.Queue
    prompt: int = 0
    cached: int = 0
    made: int = 0
    table: list = dataclasses.field(default_factory=list)
    row: object = None
    gone: bool = False


class Cache:
    """Pages, and which of them hold which beginning of a prompt."""

    def __init__(self, pages, reuse):
        self.free, self.reuse = list(range(pages)), reuse
        self.users = [0] * pages
        self.of, self.name = {}, {}
        self.idle = collections.OrderedDict()  # named pages without users, oldest first

    def room(self):
        return len(self.free) + len(self.idle)

    def take(self):
        if self.free:
            p = self.free.pop()
        else:
            p, _ = self.idle.popitem(last=False)
            del self.of[self.name.pop(p)]
        self.users[p] = 1
        return p

    def names(self, tokens):
        h, out = b"", []
        for i in range(0, len(tokens) - PAGE + 1, PAGE):
            h = hashlib.blake2b(h + repr(tokens[i:i + PAGE]).encode(), digest_size=16).digest()
            out.append(h)
        return out

    def found(self, tokens):
        """The pages of the prompt's beginning that are there; at least one token is left to compute."""
        pages = []
        for h in self.names(tokens)[: (len(tokens) - 1) // PAGE] if self.reuse else []:
            if h not in self.of:
                break
            pages.append(self.of[h])
        return pages

    def hold(self, pages):
        for p in pages:
            self.idle.pop(p, None)
            self.users[p] += 1

    def publish(self, s):
        for h, p in zip(self.names(s.tokens[: s.prompt]), s.table) if self.reuse else []:
            if h not in self.of and p not in self.name:
                self.of[h], self.name[p] = p, h

    def release(self, s):
        for p in s.table:
            self.users[p] -= 1
            if self.users[p] == 0:
                if p in self.name:
                    self.idle[p] = None
                else:
                    self.free.append(p)
        s.table = []


class Engine(threading.Thread):
    """Prompts first, one after the other; then a token for everybody."""

    def __init__(self, model, pages, batch, reuse):
        super().__init__(daemon=True)
        self.loop, self.news = None, []  # tokens to be said, together
        self.model, self.cache = model, Cache(pages, reuse)
        self.inbox, self.waiting, self.running = queue.Queue(), collections.deque(), []
        self.decoders = {b: Decoder(model, b, pages) for b in BATCHES if b <= batch}
        self.batch = max(self.decoders)
        self.died = None

    def run(self):
        try:
            while True:
                idle = not self.waiting and not self.running
                while idle or not self.inbox.empty():
                    self.waiting.append(self.inbox.get())
                    idle = False
                self.admit()
                if self.running:
                    self.decode()
        except BaseException as e:  # noqa: the server has to say so
            self.died = e
            print("engine died:", repr(e), file=sys.stderr, flush=True)
            raise

    def admit(self):
        while self.waiting and len(self.running) < self.batch:
            s = self.waiting[0]
            if s.gone:
                self.waiting.popleft()
                continue
            found = self.cache.found(s.tokens)
            need = math.ceil((s.prompt + s.want) / PAGE) - len(found)
            if need > self.cache.room() - sum(p in self.cache.idle for p in found):
                return
            self.waiting.popleft()
            self.cache.hold(found)
            s.table = found + [self.cache.take() for _ in range(need)]
            s.cached = len(found) * PAGE
            token = int(self.model.last(self.model.prefill(s.tokens, s.cached, s.table)))
            self.cache.publish(s)
            self.running.append(s)
            self.give(s, token)
            self.tell()

    def tell(self):
        news, self.news = self.news, []
        self.loop.call_soon_threadsafe(lambda: [q.put_nowait(t) for q, t in news])

    def decode(self):
        batch = [s for s in self.running if not s.gone]
        for s in [s for s in self.running if s.gone]:
            self.end(s)
        if not batch:
            return
        size = next(b for b in BATCHES if b >= len(batch))
        for s, token in zip(batch, self.decoders[size].run(batch)):
            self.give(s, token)
        self.tell()

    def give(self, s, token):
        s.tokens.append(token)
        s.made += 1
        self.news.append((s.said, token))
        if s.made >= s.want:
            self.end(s)

    def end(self, s):
        self.running.remove(s)
        self.cache.release(s)


class API:
    def __init__(self, engine, tokenizer, name, context):
        self.engine, self.tokenizer, self.name, self.context = engine, tokenizer, name, context
        # Words that stay one token wherever they stand, so that a client that
        # counts the text gets what was generated.
        self.words = [tokenizer.decode([i]) for t, i in sorted(tokenizer.get_vocab().items(), key=lambda p: p[1])
                      if re.fullmatch("Ġ[a-z]+", t)]
        self.words = [w for w in self.words if len(tokenizer.encode(w, add_special_tokens=False).ids) == 1]

    async def models(self, _):
        return web.json_response({"object": "list", "data": [{"id": self.name, "object": "model", "max_model_len": self.context}]})

    async def health(self, _):
        return web.Response(status=500 if self.engine.died else 200)

    def fault(self, message, code=400):
        return web.json_response({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status=code)

    async def complete(self, request):
        body = await request.json()
        if self.engine.died:
            return self.fault(f"the engine died: {self.engine.died!r}", 500)
        text = body["prompt"] if "prompt" in body else "".join(m["content"] for m in body["messages"])
        ids = [i % self.engine.model.vocab for i in self.tokenizer.encode(text, add_special_tokens=False).ids] or [0]
        want = body.get("max_completion_tokens") or body.get("max_tokens") or 16
        if len(ids) + want > self.context:
            return self.fault(f"{len(ids)} prompt and {want} output tokens exceed the context of {self.context}")
        s = Sequence(list(ids), want, asyncio.Queue(), prompt=len(ids))
        self.engine.loop = asyncio.get_running_loop()
        self.engine.inbox.put(s)
        try:
            if body.get("stream"):
                return await self.stream(request, body, s)
            said = [self.words[await s.said.get() % len(self.words)] for _ in range(want)]
            return web.json_response(self.chunk("chat.completion", s, message={"role": "assistant", "content": "".join(said)}, end=True))
        except ConnectionResetError:
            return web.Response()  # the client has left, and nobody reads this
        finally:
            s.gone = True

    def chunk(self, kind, s, end=False, **choice):
        c = {"id": "x", "object": kind, "created": int(time.time()), "model": self.name,
             "choices": [{"index": 0, "finish_reason": "length" if end else None, **choice}]}
        if end:
            c["usage"] = {"prompt_tokens": s.prompt, "completion_tokens": s.made, "total_tokens": s.prompt + s.made,
                          "prompt_tokens_details": {"cached_tokens": s.cached}}
        return c

    async def stream(self, request, body, s):
        r = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Request-Id": str(uuid.uuid4())})
        await r.prepare(request)
        part = {"delta": {"content": "@"}} if "messages" in body else {"text": "@"}
        before, after = json.dumps(self.chunk("chat.completion.chunk", s, **part)).split("@")
        for _ in range(s.want - 1):
            word = self.words[await s.said.get() % len(self.words)]
            await r.write(f"data: {before}{word}{after}\n\n".encode())
        word = self.words[await s.said.get() % len(self.words)]
        last = json.dumps(self.chunk("chat.completion.chunk", s, end=True, **part)).replace("@", word)
        await r.write(f"data: {last}\n\n".encode())
        await r.write(b"data: [DONE]\n\n")
        await r.write_eof()
        return r


def relative(x, ref):
    return ((x.float() - ref.float()).norm() / ref.float().norm()).item()


def check(model):
    """The paged step against attention over the whole sequence."""
    tokens = torch.randint(0, model.vocab, (150,)).tolist()
    table = [3, 0, 2]
    model.prefill(tokens[:100], 0, table)
    after = model.prefill(tokens, 64, table)  # over a prefix in the cache
    model.k.zero_(), model.v.zero_()
    error = relative(after, model.prefill(tokens, 0, table))
    print(f"prompt over a cached prefix: relative error {error:.1e}", flush=True)
    if not error < 3e-2:
        sys.exit("a prompt over a cached prefix gives something else than the whole")
    q = torch.randn(1, model.heads, model.dim, device="cuda", dtype=torch.bfloat16)
    full = torch.tensor([table + [0] * (model.width - 3)], device="cuda")
    for splits in (1, 4):
        y = model.attention(0, q, full, torch.tensor([150], device="cuda"), splits).float()
        g = model.heads // model.kv
        K = model.k[0, table].transpose(0, 1).reshape(model.kv, -1, model.dim)[:, :150].repeat_interleave(g, 0).float()
        V = model.v[0, table].transpose(0, 1).reshape(model.kv, -1, model.dim)[:, :150].repeat_interleave(g, 0).float()
        w = torch.einsum("hd,hnd->hn", q[0].float(), K).mul(model.dim**-0.5).softmax(-1)
        ref = torch.einsum("hn,hnd->hd", w, V)
        error = relative(y[0], ref)
        print(f"decode attention, {splits} splits: relative error {error:.1e}", flush=True)
        if not error < 2e-2:
            sys.exit("the attention kernel is wrong")
    model.k.zero_(), model.v.zero_()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=8000)
    p.add_argument("--model", choices=SHAPES, default="llama-3.1-8b")
    p.add_argument("--served-model-name", default="")
    p.add_argument("--tokenizer", required=True, help="folder with tokenizer.json")
    p.add_argument("--max-model-len", type=int, default=16384)
    p.add_argument("--kv-tokens", type=int, default=0, help="size of the KV cache; 0 takes 90 %% of the memory")
    p.add_argument("--max-num-seqs", type=int, default=512)
    p.add_argument("--no-enable-prefix-caching", action="store_true")
    a = p.parse_args()
    torch.manual_seed(0)
    shape = SHAPES[a.model]
    layers, hidden, heads, kv, dim, ffn, vocab = shape
    began = time.time()
    per = layers * 2 * kv * dim * 2
    weights = 2 * (2 * vocab * hidden + layers * hidden * ((heads + 2 * kv) * dim + heads * dim + 3 * ffn))
    room = torch.cuda.mem_get_info()[1] * 0.9 - weights - 6e9
    pages = (a.kv_tokens or int(room // per)) // PAGE
    if pages < a.max_model_len // PAGE:
        sys.exit(f"CUDA out of memory: {room / 1e9:.1f} GB are left for the cache, one sequence takes {a.max_model_len * per / 1e9:.1f}")
    model = Model(shape, pages, a.max_model_len)
    check(model)
    engine = Engine(model, pages, a.max_num_seqs, not a.no_enable_prefix_caching)
    for n in (512, 4096):  # autotuning of the libraries, before anybody measures
        model.prefill([1] * min(n, a.max_model_len), 0, list(range(n // PAGE)))
    engine.start()
    tokens = pages * PAGE
    print(f"weights {weights / 1e9:.2f} GB, GPU KV cache size: {tokens:,} tokens, ready after {time.time() - began:.1f} s")
    print(f"Maximum concurrency for {a.max_model_len:,} tokens per request: {tokens / a.max_model_len:.2f}x", flush=True)
    api = API(engine, Tokenizer.from_file(a.tokenizer + "/tokenizer.json"), a.served_model_name or a.model, a.max_model_len)
    app = web.Application(client_max_size=64 << 20)
    app.add_routes([web.get("/v1/models", api.models), web.get("/health", api.health),
                    web.post("/v1/chat/completions", api.complete), web.post("/v1/completions", api.complete)])
    web.run_app(app, host="127.0.0.1", port=a.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
