#!/usr/bin/env bash
# Measures one simulated server with aiperf and with headway, one after the
# other, and holds both against the server's own log. Needs aiperf on the PATH
# (pip install aiperf) and, offline, TIKTOKEN_CACHE_DIR with o200k_base.
#
#   docs/compare/aiperf.sh 200 600      concurrency, requests
set -euo pipefail
concurrency=${1:-200} requests=${2:-600}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
go build -C "$root" -o "$work/bin" ./cmd/headway
./bin sim serve --port 0 --ttft 50 --itl 10 --model M --log sim.jsonl >serve.out &
server=$!
until grep -q http serve.out; do read -rt 0.1 <> <(:) || :; done
url=$(grep -o 'http://[^ ]*' serve.out)
load=(-m M -u "$url" --endpoint-type chat --streaming --concurrency "$concurrency" --request-count "$requests"
  --isl 200 --osl 50 --extra-inputs ignore_eos:true --tokenizer builtin --random-seed 1 --ui-type none)
aiperf profile "${load[@]}" --artifact-dir aiperf --no-server-metrics --no-gpu-telemetry >aiperf.out 2>&1
./bin run "${load[@]}" --artifact-dir headway >headway.out 2>&1
kill -INT "$server"; wait "$server" || :
python3 - "$requests" <<'P'
import json, sys
n = int(sys.argv[1])
log = sorted((json.loads(l) for l in open('sim.jsonl')), key=lambda e: e['received_ns'])
log = [e for e in log if e['outcome'] == 'ok']
def stats(x):
    x = sorted(x); q = lambda p: x[int(p * (len(x) - 1))]
    return f'avg {sum(x)/len(x):7.2f}  p50 {q(.5):7.2f}  p99 {q(.99):7.2f}'
for tool, part in (('aiperf', log[:n]), ('headway', log[n:])):
    tokens = [[w for w in e['writes'] if w[0] == 'token'] for e in part]
    ttft = [(w[0][2] - e['received_ns']) / 1e6 for w, e in zip(tokens, part)]
    itl = [(w[-1][2] - w[0][2]) / 1e6 / (len(w) - 1) for w in tokens]
    doc = json.load(open(f'{tool}/profile_export_aiperf.json'))
    said = lambda t: '  '.join(f'{k} {doc[t][k]:7.2f}' for k in ('avg', 'p50', 'p99'))
    print(f'{tool:8} TTFT ms  server {stats(ttft)}   reported {said("time_to_first_token")}')
    print(f'{tool:8} ITL ms   server {stats(itl)}   reported {said("inter_token_latency")}')
P
