#!/usr/bin/env bash
# Makes docs/sla-study.md's figures and pictures: four models on four kinds of
# GPUs, each searched by fast and by thorough on simulated workers.
# Run it in the repository's root; it takes about 15 seconds on two cores.
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go build -o "$out/headway" ./cmd/headway
study() { # name, then the options
  local name=$1
  shift
  for search in fast thorough; do
    echo "== $name, --search $search: $*"
    "$out/headway" profile sla "$@" --search "$search" --no-interpolation --output-dir "$out/$name-$search" 2>"$out/log" | sed "/^results:/d" || [ "${PIPESTATUS[0]}" -eq 3 ]
  done
  for picture in decode_performance pareto; do
    cp "$out/$name-thorough/$picture.svg" "docs/images/sla-$name-$picture.svg"
  done
}
study llama-70b --model llama-3.1-70b --gpu h200_sxm --ttft 300 --itl 25 --max-context-length 16384
study qwen-32b --model qwen3-32b --gpu h100_sxm --ttft 300 --itl 20 --max-context-length 16384
study qwen-235b --model qwen3-235b-a22b --gpu h200_sxm --max-num-gpus-per-engine 32 --ttft 500 --itl 30 --max-context-length 16384
study deepseek-v3 --model deepseek-v3 --gpu b200_sxm --max-num-gpus-per-engine 32 --ttft 500 --itl 30 --max-context-length 16384
for picture in prefill_performance cost_sla; do
  cp "$out/llama-70b-thorough/$picture.svg" "docs/images/sla-llama-70b-$picture.svg"
done
cp "$out/llama-70b-fast/decode_performance.svg" docs/images/sla-llama-70b-fast.svg
