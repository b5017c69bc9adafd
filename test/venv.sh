#!/bin/sh
# venv.sh REQUIREMENTS: a virtual environment of Python with these packages, kept in
# TEST_VENV_CACHE (~/.cache/headway) and made once; prints its python. Exit code 77 says
# that it cannot be had here, and why. INSTALL_SECONDS, 50, is how long it may take.
set -eu
without() { echo "left out: $1" >&2; exit 77; }
python3=$(command -v python3) || without "there is no python3"
id=$(cksum <"$1" | cut -d ' ' -f 1)-$("$python3" -c 'import sys; print(sys.implementation.cache_tag)')
home=${TEST_VENV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}/venv/$id
if [ ! -e "$home/complete" ]; then
	rm -rf "$home"
	mkdir -p "$(dirname "$home")"
	"$python3" -m venv "$home" >&2 || without "Python makes no virtual environment here"
	timeout --foreground -k 5 "${INSTALL_SECONDS:-50}" "$home/bin/python" -m pip install -q --disable-pip-version-check \
		--retries 1 --timeout 15 --only-binary :all: -r "$1" >&2 ||
		without "the packages of $1 did not come within ${INSTALL_SECONDS:-50} s"
	touch "$home/complete"
fi
echo "$home/bin/python"
