"""Replays a Mooncake trace in virtual time with Dynamo's own engine and router,
and prints what it says of it as JSON:

    python replay.py TRACE kv_router|round_robin WORKERS

Since 1.5 its command line is `aisimulate predict`, of a package that PyPI only
stubs; the code behind it is in Dynamo's runtime.
"""
import json
import sys
import time

from dynamo._core import run_mocker_trace_replay

begun = time.monotonic()
summary = run_mocker_trace_replay(
    [sys.argv[1]], router_mode=sys.argv[2], num_workers=int(sys.argv[3]), trace_block_size=512
).summary
print(json.dumps({
    "seconds": time.monotonic() - begun,
    "requests": summary["completed_requests"],
    "output_tokens": summary["total_output_tokens"],
    "ttft_ms": summary["mean_ttft_ms"],
    "itl_ms": summary["mean_tpot_ms"],
}))
