#!/usr/bin/env bash
# Builds the control plane of the tests from the Go modules that go.mod pins,
# once, and prints the folder it lies in as the last line:
#
#	$TEST_KUBE_CACHE, or ~/.cache/headway-kube, / hash of go.sum and this file
#
# It needs Go and nothing else; no C compiler. A cold build compiles about
# 2,500 packages. A build that was interrupted goes on where it was, because
# each program is kept as soon as it is linked.
set -euo pipefail
cd "$(dirname "$0")"
go=${GO:-go}
cache=${TEST_KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway-kube}
key=$({ cat go.sum build.sh; "$go" version; } | sha256sum | cut -c1-16)
bin=$cache/$key
mkdir -p "$bin"
touch "$bin" # in use; what nobody used for a month goes
find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
exec 9>"$cache/lock"
flock 9 # two builds at once would need the memory of both

kubernetes=$("$go" list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${kubernetes#v1.}
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	ldflags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
done

build() { # name, package
	[ -x "$bin/$1" ] && return
	echo "building $1 ($("$go" list -f '{{.Module.Path}} {{.Module.Version}}' "$2"))" >&2
	local start=$SECONDS
	CGO_ENABLED=0 "$go" build -p "${TEST_KUBE_JOBS:-2}" -trimpath -ldflags "$ldflags" -o "$bin/$1.part" "$2"
	mv "$bin/$1.part" "$bin/$1"
	echo "built $1 in $((SECONDS - start)) s, $(du -h "$bin/$1" | cut -f1)" >&2
}

build etcd go.etcd.io/etcd/server/v3
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kube-scheduler k8s.io/kubernetes/cmd/kube-scheduler
build kubectl k8s.io/kubernetes/cmd/kubectl
echo "$bin"
