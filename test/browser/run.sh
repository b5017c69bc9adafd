#!/usr/bin/env bash
# report.html, --web and headway view in a real Chromium. The browser is CHROMIUM, one that is installed, or Debian's by apt-get;
# playwright-core comes from the npm registry. Where they cannot be had it says so and ends with 75.
set -euo pipefail
cd "$(dirname "$0")"
without() { echo "browser tests were left out: $1"; exit 75; }
command -v node >/dev/null && command -v npm >/dev/null || without "there is no node or npm"
browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$browser" ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || without "there is no Chromium, and it can be installed by root on Debian only"
  { apt-get update && apt-get install -y --no-install-recommends chromium fonts-liberation; } >/dev/null 2>&1 ||
    without "Debian's chromium could not be installed"
  browser=$(command -v chromium) || without "Debian's chromium has no program of that name"
fi
work=$(mktemp -d) # node_modules are no part of the source
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json *.test.mjs "$work"
(cd "$work" && npm ci --no-audit --no-fund --silent >/dev/null) ||
  without "playwright-core could not be had from the npm registry"
(cd ../.. && "${GO:-go}" build -o "$work/headway" ./cmd/headway)
[ -z "${SHOTS:-}" ] || { mkdir -p "$SHOTS" && SHOTS=$(cd "$SHOTS" && pwd) && export SHOTS; }
cd "$work" && HEADWAY="$work/headway" CHROMIUM="$browser" node --test report.test.mjs web.test.mjs
