"""Makes testdata/aiperf-tree from results of the real aiperf (0.13.0).

    python3 make_aiperf_tree.py RESULTS

RESULTS holds what these commands wrote, against any server that streams:

    aiperf profile ... --concurrency N --artifact-dir RESULTS/dyn/sglang-agg/cN      for N in 1 2 5 10
    aiperf profile ... --concurrency 1,2,5 --num-profile-runs 3 --artifact-dir RESULTS/a5
    aiperf profile ... --concurrency 3    (in RESULTS/art)

Files keep their structure and order of keys; metrics that no picture shows and
paths of the machine are left out, to keep the fixture small. The tree "old" is
the same as sglang-agg in the form of aiperf 0.1, which cannot be installed any
more: no schema_version, no count and sum, configuration under loadgen.
"""
import json, pathlib, shutil, sys

KEEP = {"request_throughput", "request_latency", "request_count", "time_to_first_token", "inter_token_latency",
        "output_token_throughput", "output_token_throughput_per_user", "benchmark_duration", "error_request_count"}
here = pathlib.Path(__file__).parent / "aiperf-tree"


def trimmed(path):
    d = json.loads(path.read_text())
    d = {k: v for k, v in d.items() if k in KEEP or not (isinstance(v, dict) and "unit" in v)}
    d["input_config"].pop("artifacts", None)
    if "run_info" in d:
        d["run_info"].pop("cli_command", None)
    return d


def put(d, *parts):
    path = here.joinpath(*parts, "profile_export_aiperf.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(d, indent=2, ensure_ascii=False))


def old(d, concurrency):
    out = {k: {s: x for s, x in v.items() if s not in ("count", "sum")} for k, v in d.items() if isinstance(v, dict) and "unit" in v}
    out["input_config"] = {
        "endpoint": {"model_names": ["Qwen/Qwen3-0.6B"], "type": "chat", "streaming": True, "urls": ["http://localhost:8000"]},
        "loadgen": {"concurrency": concurrency, "request_count": 20}, "cli_command": "aiperf profile"}
    out.update(was_cancelled=False, error_summary=[], start_time=d["start_time"], end_time=d["end_time"])
    return out


src = pathlib.Path(sys.argv[1])
shutil.rmtree(here, ignore_errors=True)
for c in (1, 2, 5, 10):
    d = trimmed(src / f"dyn/sglang-agg/c{c}/profile_export_aiperf.json")
    put(d, "sglang-agg", f"c{c}")
    put(old(d, c), "old", f"Qwen_Qwen3-0.6B-openai-chat-concurrency{c}")
for path in sorted((src / "a5").rglob("profile_export_aiperf.json")):
    put(trimmed(path), "repeats", *path.parent.relative_to(src / "a5").parts)
for path in (src / "art").rglob("profile_export_aiperf.json"):
    put(trimmed(path), "default-folder", *path.parent.relative_to(src / "art").parts)
