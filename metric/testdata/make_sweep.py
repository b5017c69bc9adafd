"""Writes sweep.json: what aiperf's curves say of some requests.

Run it with the Python that aiperf 0.13.0 is installed for:

    python make_sweep.py > sweep.json

Times are nanoseconds from a small origin, so that they are whole in the
float64 that aiperf keeps them in. A request has start, end, the times of its
chunks, and its tokens; a failed one has start and end alone. "wide" is with
the backend that keeps no gap of a single request.
"""

import json
import random

from aiperf.metrics.accumulator_sweeps import compute_sweep_curves
from aiperf.metrics.column_store import ColumnStore
from aiperf.metrics.ragged_series import RaggedSeries


class Forgetful(RaggedSeries):
    """A backend without per-record replay, as aiperf's bounded one."""

    SUPPORTS_PER_RECORD_REPLAY = False


def curves(requests, backend):
    store = ColumnStore(list_backend_cls=backend)
    for i, r in enumerate(requests):
        metrics, first = {}, None
        if "at" in r:
            metrics = {"input_sequence_length": r["isl"], "output_sequence_length": r["osl"]}
            first = float(r["at"][0])
            gaps = [float(b - a) for a, b in zip(r["at"], r["at"][1:])]
            if gaps:
                metrics["inter_chunk_latency"] = gaps
        store.ingest(i, record_metrics=metrics, start_ns=float(r["start"]), end_ns=float(r["end"]), generation_start_ns=first)
    c = compute_sweep_curves(store)
    found = c.compute_metrics(float(c.concurrency_ts[0]), float(c.concurrency_ts[-1]))
    stats = ("avg", "min", "max", "p50", "p90", "p95", "p99", "std")
    return {tag: {s: getattr(m, s) for s in stats} for tag, m in found.items()}


def request(rng, start, chunks, coarse):
    """coarse times fall on one another."""
    t = start + rng.randrange(1, 40) * coarse
    at = [t]
    for _ in range(chunks - 1):
        t += rng.choice([0, 1, 1, 2, 3, 7]) * coarse
        at.append(t)
    return {"start": start, "end": t + rng.randrange(1, 3) * coarse, "at": at,
            "isl": rng.randrange(1, 2000), "osl": max(1, chunks + rng.randrange(-2, 5))}


def case(seed, n, coarse, fail=0.0, most=30):
    rng = random.Random(seed)
    requests = []
    for _ in range(n):
        start = 1_000_000_000 + rng.randrange(0, 8 * n) * coarse
        if rng.random() < fail:
            requests.append({"start": start, "end": start + rng.randrange(1, 60) * coarse})
        else:
            requests.append(request(rng, start, rng.randrange(1, most), coarse))
    return requests


CASES = {
    "one": case(1, 1, 1_000_003),
    "ties": case(2, 40, 1_000_000, fail=0.1),
    "spread": case(3, 60, 777_777, fail=0.05),
    "idle between": case(4, 3, 90_000_000),
    "single chunks": case(5, 12, 1_000_000, most=2),
    "crowd": case(6, 300, 100_000, fail=0.02, most=12),
}

print(json.dumps([
    {"name": name, "requests": r, "want": curves(r, RaggedSeries), "wide": curves(r, Forgetful)}
    for name, r in CASES.items()
], separators=(",", ":")))
