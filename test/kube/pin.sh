#!/usr/bin/env bash
# Pins the control plane of the tests: writes the tool lines, the version of
# k8s.io/kubernetes and one replace for each of its staging modules, which it
# requires at v0.0.0, into go.mod. Run it in this folder to move to another
# release:
#
#	./pin.sh v1.37.2 v3.7.3
set -euo pipefail
cd "$(dirname "$0")"
kubernetes=${1:?the version of k8s.io/kubernetes, as v1.37.2}
etcd=${2:?the version of go.etcd.io/etcd/server/v3, as v3.7.3}
staging=v0${kubernetes#v1}

gomod=$(go mod download -json "k8s.io/kubernetes@$kubernetes" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
edits=()
for module in $(sed -n 's/^\t\(k8s.io\/[^ ]*\) => .*/\1/p' "$gomod"); do
	edits+=("-replace=$module=$module@$staging")
done
edits+=("-require=k8s.io/cri-streaming@$staging")
for tool in go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl}; do
	edits+=("-tool=$tool")
done
go mod edit "-require=k8s.io/kubernetes@$kubernetes" "-require=go.etcd.io/etcd/server/v3@$etcd" "${edits[@]}"
go mod tidy
