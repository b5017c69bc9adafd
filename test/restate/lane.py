"""Holds `headway report --as TOOL` against the tool itself.

Usage: lane.py HEADWAY TOOL TOKENIZER WORK [FILE]

The tool sends its load through the recording proxy (proxy.py) to `headway sim serve`;
what the proxy saw becomes records.jsonl, is restated as the tool, and each figure is
compared with the tool's own. FILE is a script where the tool is one. The interpreter is
that of the tool's virtual environment.

Counts must be equal. A time may differ by what clocks allow: the proxy stamps before the
loopback and the tool after its event loop woke up, on a machine that is shared. Events of
another kind are 80 ms apart (proxy.py), so that a wrong definition is off by more than
LATER allows.
"""

import asyncio
import json
import os
import pathlib
import random
import signal
import subprocess
import sys

from proxy import Proxy

REQUESTS, STREAMS, PROMPT, REPLY = 60, 4, 50, 16
LATER = 0.025  # seconds: a mean or a median
TAIL = 0.075  # seconds: percentiles above the median, extremes and deviations, on a busy machine
CHUNKS = 8  # at least so many share what a mean over a reply's chunks or tokens is off by
RATE = 0.08  # of a figure per second: durations begin and end in the tool
WITHIN = 300  # seconds that a tool may take


def aiperf(c):
    out = c.work / "aiperf"
    c.tool("aiperf", "profile", "-m", "simulated", "--url", c.url, "--endpoint-type", "chat", "--streaming",
           "--concurrency", STREAMS, "--request-count", REQUESTS, "--isl", PROMPT, "--osl", REPLY,
           "--extra-inputs", "ignore_eos:true", "--tokenizer", c.tokenizer, "--artifact-dir", out, "--ui", "none",
           "--no-gpu-telemetry", "--no-server-metrics")
    got = json.loads(next(out.rglob("profile_export_aiperf.json")).read_text())
    figures = {}
    for name, v in got.items():
        if isinstance(v, dict) and "unit" in v:
            for stat in v:
                figures[f"{name}.{stat}"] = v[stat]
            figures[name] = v.get("avg")
    figures.setdefault("error_request_count", 0)
    return figures


def guidellm(c):
    out = c.work / "guidellm.json"
    c.tool("guidellm", "run", "--backend", f"kind=openai_http,target={c.url},model=simulated,http2=false",
           "--profile", f"kind=concurrent,streams={STREAMS}", "--constraint", f"kind=max_requests,count={REQUESTS}",
           "--data", f"kind=synthetic_text,prompt_tokens={PROMPT},output_tokens={REPLY}",
           "--tokenizer", f"kind=huggingface_auto,model={c.tokenizer}", "--output", f"kind=json,path={out}",
           "--disable-console")
    got = json.loads(out.read_text())["benchmarks"][0]["metrics"]
    figures = {f"request_totals.{k}": v for k, v in got["request_totals"].items()}
    for name, v in got.items():
        if isinstance(v, dict) and isinstance(v.get("successful"), dict):
            for stat, x in {**v["successful"], **(v["successful"].get("percentiles") or {})}.items():
                figures[f"metrics.{name}.successful.{stat}"] = x
                figures[f"{name}.successful.{stat}"] = x
    return figures


def inference_perf(c):
    out = c.work / "inference-perf"
    config = {
        "api": {"type": "chat", "streaming": True},
        "data": {"type": "shared_prefix", "shared_prefix": {  # the only synthetic data that it has for chat
            "num_groups": REQUESTS // 4, "num_prompts_per_group": 4, "system_prompt_len": 10,
            "question_len": PROMPT, "output_len": REPLY}},
        "load": {"type": "concurrent", "num_workers": 1, "stages": [
            {"num_requests": REQUESTS, "concurrency_level": STREAMS}]},
        "server": {"type": "vllm", "model_name": "simulated", "base_url": c.url, "ignore_eos": True},
        "tokenizer": {"pretrained_model_name_or_path": str(c.tokenizer)},
        "storage": {"local_storage": {"path": str(out)}},
        "report": {"request_lifecycle": {"summary": True, "per_stage": True, "per_request": True}},
    }
    file = c.work / "inference-perf.yml"
    file.write_text(json.dumps(config))  # JSON is YAML
    c.tool("inference-perf", "--config_file", file)
    got = json.loads(next(out.rglob("*summary_lifecycle_metrics.json")).read_text())
    figures = {"benchmark_time_seconds": got.get("benchmark_time_seconds")}
    flat(figures, "successes", got["successes"])
    flat(figures, "failures", got["failures"])
    figures.update({k.removeprefix("successes."): v for k, v in figures.items() if k.startswith("successes.")
                    and k != "successes.count"})
    return figures


def flat(into, name, value):
    if isinstance(value, dict):
        for k, v in value.items():
            flat(into, f"{name}.{k}", v)
    else:
        into[name] = value


def sglang(c):
    out = c.work / "sglang.jsonl"
    words = "the server answers a question about what it does when many ask at once and none can wait".split()
    turns = [[random.choice(words) for _ in range(20 + i % 30)] for i in range(2 * REQUESTS)]
    data = c.work / "sharegpt.json"  # whose prompts are text: SGLang does not count random ids again
    data.write_text(json.dumps([{"conversations": [{"value": " ".join(t)}, {"value": "it answers at once"}]}
                                for t in turns]))
    c.tool("python", c.file, "--backend", "sglang-oai-chat", "--base-url", c.url, "--model", "simulated",
           "--tokenizer", c.tokenizer, "--dataset-name", "sharegpt", "--dataset-path", data,
           "--sharegpt-output-len", REPLY, "--num-prompts", REQUESTS, "--max-concurrency", STREAMS,
           "--warmup-requests", 0, "--output-file", out, "--disable-tqdm")
    return json.loads(out.read_text().splitlines()[-1])


TOOLS = {"aiperf": aiperf, "guidellm": guidellm, "inference-perf": inference_perf, "sglang": sglang}

PER_TOKEN = ("tpot", "itl", "inter_token", "inter_chunk", "per_output_token")

# Statistics that this version of a tool has not and the one that was read has.
NOT_YET = {"sglang": ("p90_", "p95_")}


class Case:
    """A tool's run."""

    def __init__(self, url, work, tokenizer, file):
        self.url, self.work, self.tokenizer, self.file = url, work, tokenizer, file

    def tool(self, name, *args):
        bin = pathlib.Path(sys.executable).parent / name
        env = {**os.environ, "PYTHONUNBUFFERED": "1",
               "HOME": str(self.work), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        with open(self.work / "tool.log", "w") as log:
            p = subprocess.Popen([str(bin), *map(str, args)], cwd=self.work, env=env, stdout=log, stderr=log,
                                 start_new_session=True)
            try:
                code = p.wait(WITHIN)
            except subprocess.TimeoutExpired:
                code = f"none within {WITHIN} s"
            finally:
                end(p)
        if code != 0:
            raise SystemExit(f"{name}: exit code {code}\n" + (self.work / "tool.log").read_text()[-4000:])


def end(p):
    """Ends a program and all that it started."""
    try:
        os.killpg(p.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    p.wait()


async def record(tool, port, work, tokenizer, file):
    """The tool's figures; records.jsonl is in work."""
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    proxy = Proxy(port, lambda text: len(tok.encode(text, add_special_tokens=False).ids))
    server, at = await proxy.serve()
    async with server:
        case = Case(f"http://127.0.0.1:{at}", work, tokenizer, file)
        figures = await asyncio.to_thread(TOOLS[tool], case)
    (work / "records").mkdir(exist_ok=True)
    proxy.write(work / "records" / "records.jsonl", tool)
    return figures


def close(key, unit, theirs, ours):
    """Whether two figures agree, and the bound of their difference in the figure's unit."""
    if unit in ("requests", "tokens", "count"):
        bound = 1e-9 * max(1, abs(theirs)) if "concurren" not in key else 0.1 * theirs
    elif unit in ("s", "sec", "ms"):
        one = 1000 if unit == "ms" else 1
        extreme = any(x in key for x in ("p99", "max", "std", "p95", "p90"))
        bound = (TAIL if extreme else LATER) * one
        if not extreme and any(x in key for x in PER_TOKEN):
            bound /= CHUNKS
        if "duration" in key or "benchmark_time" in key:
            bound = RATE * theirs
    else:
        bound = RATE * abs(theirs)
    return abs(theirs - ours) <= bound, bound


def compare(tool, figures, restated):
    """Prints each figure of both, and gives how many disagree."""
    bad = met = 0
    for f in restated["runs"][0]["figures"]:
        for v in f.get("values", []):
            key, ours = v["key"], v["value"]
            theirs = figures.get(key)
            if not isinstance(theirs, (int, float)):
                note, theirs = "the tool gives none", float("nan")
                bad += not key.startswith(NOT_YET.get(tool, "-"))
            else:
                ok, bound = close(key, f["unit"], theirs, ours)
                note = "" if ok else f"DIFFERS by more than {bound:.4g}"
                met, bad = met + 1, bad + (not ok)
            print(f"{key:62} {theirs:12.6g} {ours:12.6g} {ours - theirs:+12.4g} {f['unit']:16} {note}")
    if met < 10:
        print(f"only {met} figures could be compared")
        bad += 1
    return bad


def main():
    headway, tool, tokenizer, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    file = sys.argv[5] if len(sys.argv) > 5 else None
    work.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([headway, "sim", "serve", "--port", "0", "--tokenizer", str(tokenizer), "--ttft", "60",
                               "--itl", "15", "--ttft-jitter-cv", "0.4", "--itl-jitter-cv", "0.3", "--error-rate", "8",
                               "--random-seed", "3"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True)
    try:
        line = next(x for x in server.stdout if "http://" in x)
        port = int(line.split("http://127.0.0.1:")[1].split()[0])
        figures = asyncio.run(record(tool, port, work, tokenizer, file))
        (work / "theirs.json").write_text(json.dumps(figures, default=str))
        said = subprocess.run([headway, "report", str(work / "records"), "--as", tool, "--json"], check=True,
                              capture_output=True, text=True)
        (work / "ours.json").write_text(said.stdout)
        bad = compare(tool, figures, json.loads(said.stdout))
    finally:
        end(server)
    sys.exit(f"{tool}: {bad} figures differ" if bad else 0)


if __name__ == "__main__":
    main()
