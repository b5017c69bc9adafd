#!/usr/bin/env bash
# Installs Dynamo's frontend, router and mocker into a virtual environment, once,
# and prints its folder as the last line:
#
#	$TEST_DYNAMO_CACHE, or ~/.cache/headway-dynamo, / hash of requirements.txt and the Python
#
# requirements.txt has all that they import, and no more: what the wheels ask for
# besides (transformers, kubernetes, aisimulate, which is a stub on PyPI) is for
# other parts. Exit code 3, with the reason on standard error, when the packages
# are not available here: no Python, no registry, no wheels for this machine, or
# not within $DYNAMO_INSTALL_SECONDS, ten minutes.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${DYNAMO_INSTALL_SECONDS:-600}
python=${PYTHON:-python3}
unavailable() {
	echo "Dynamo is not available here: $1" >&2
	exit 3
}
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
	unavailable "$python is missing, older than 3.10, or without the module venv"
cache=${TEST_DYNAMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway-dynamo}
key=$({ cat requirements.txt; "$python" -VV; } | sha256sum | cut -c1-16)
venv=$cache/$key
mkdir -p "$cache"
find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} + # what nobody used for a month goes
exec 9>"$cache/lock"
flock -w "$seconds" 9 || unavailable "another program has been installing it for $seconds s"
if [ ! -e "$venv/complete" ]; then
	rm -rf "$venv"
	"$python" -m venv "$venv"
	timeout --foreground -k 10 "$seconds" "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
		--retries 2 --timeout 30 --only-binary :all: --no-deps -r requirements.txt >&2 ||
		unavailable "pip could not install test/dynamo/lane/requirements.txt within $seconds s (see above)"
	for part in frontend mocker; do
		timeout --foreground -k 10 120 "$venv/bin/python" -c "import dynamo.$part.main" >&2 ||
			unavailable "dynamo.$part does not start on this machine (see above)"
	done
	touch "$venv/complete"
fi
touch "$venv"
echo "$venv"
