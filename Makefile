# make check is what CI runs.
GO ?= go
STATICCHECK ?= $(GO) tool staticcheck

.PHONY: bench-verdict check build test vet generated race fuzz verify-tokens accuracy start coverage bench clean bench-wire bench-wire-short soak bench-sim bench-records test-kube kube-cluster

check: vet test generated race fuzz

build:
	$(GO) build -o headway ./cmd/headway

test:
	$(GO) test ./...

vet:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...

# What is generated is made again, and must not differ.
generated:
	$(GO) test ./metric ./report -run "Current|Docs" -count=1

race:
	$(GO) test -race ./...

# Four minutes of fuzzing, the targets in rotation.
fuzz:
	.ci/fuzz 240

# Exact prompt lengths, at full size, with every tokenizer fixture.
verify-tokens:
	HEADWAY_VERIFY_TOKENS=1 $(GO) test ./internal/prompt -run 'Exact' -count=1 -v -timeout 60m

# Arrival stamps against the simulated server's own log, in two processes; the
# figures of docs/accuracy.md.
accuracy:
	ACCURACY=full $(GO) test ./cmd/headway -run 'TestAccuracy' -count=1 -v

# What bench says of a level by default against runs of 30,000 requests; the
# table of docs/accuracy.md.
start:
	START=full $(GO) test ./cmd/headway -run 'TestStartIsNotMeasured' -count=1 -v -timeout 20m

# The verdicts of runs against a simulated server's log, on machines from idle
# to starved; the table of docs/accuracy.md. VERDICT_BENCH is for how long;
# VERDICT_RUNS is a file that keeps the runs, so that it can be done in pieces.
VERDICT_BENCH ?= 5m
bench-verdict:
	VERDICT_BENCH=$(VERDICT_BENCH) $(GO) test ./cmd/headway -run 'TestVerdict$$' -count=1 -v -timeout 60m

# How often the 95 % intervals of one run hold the stationary value: a thousand
# runs in virtual time of each of twelve loads, against runs a hundred times as
# long; the table of docs/accuracy.md. About an hour on one core. COVERAGE=100
# is a tenth of it, COVERAGE_LOADS="Poisson;closed" some of the loads, and
# COVERAGE_OF=printed judges what tables lead with.
COVERAGE ?= 1000
coverage:
	COVERAGE=$(COVERAGE) $(GO) test ./internal/series/coverage -run 'TestCoverage$$' -count=1 -v -timeout 12h

bench:
	$(GO) test ./... -run xxx -bench . -benchtime 1s -count 5

clean:
	rm -rf headway results artifacts

# Complete clients against net/http and a C program that only reads, one core
# for the server and one for the client; the figures of docs/performance.md.
# Five rounds of each, about ten minutes on a machine with nothing else to do.
bench-wire:
	WIRE_BENCH=full $(GO) test ./internal/wire/bench -run 'TestWire$$' -count=1 -v -timeout 40m

# The same in well under a minute on an idle machine, for the log: no figure
# fails it.
bench-wire-short:
	WIRE_BENCH=short $(GO) test ./internal/wire/bench -run 'TestWire$$' -count=1 -v -timeout 10m

# Ten thousand streams for ten minutes: memory, files and goroutines stay.
soak:
	WIRE_SOAK=10m $(GO) test ./internal/wire/bench -run 'TestSoak$$' -count=1 -v -timeout 30m

# What the simulator does in a second: replays of the recorded conversation
# trace and of up to a million synthetic requests, analysis and synthesis, the
# router's decision; on one core. The figures of docs/simulation.md.
bench-sim:
	GOMAXPROCS=1 $(GO) test ./internal/cluster -run xxx -bench 'BenchmarkReplay' -benchtime 1x -timeout 20m
	GOMAXPROCS=1 $(GO) test ./internal/router ./internal/engine ./workload/synth -run xxx -bench . -timeout 20m

# A million Records of 5,000 arrivals through metrics and writers, 20,000 of them
# to disk (some 3 GB in the temporary folder): memory and the error of
# quantiles, about ten minutes on one core. RECORDS, ARRIVALS and TO_DISK make
# it smaller.
bench-records:
	RECORDS_BENCH=full $(GO) test ./internal/study -run 'TestRecords$$' -count=1 -v -timeout 60m

# headway against a real Kubernetes control plane on loopback. The first run
# builds etcd, kube-apiserver and the rest from Go modules into a cache, which
# takes 10 to 15 minutes on two cores (docs/kubernetes.md).
test-kube:
	bin=$$(GO=$(GO) test/kube/build.sh) && cd test/kube && $(GO) vet ./... && TEST_KUBE_BIN=$$bin $(GO) test -count=1 -parallel 6 -timeout 20m ./...

# The same cluster to try things by hand, until it is interrupted.
kube-cluster: build
	bin=$$(GO=$(GO) test/kube/build.sh) && cd test/kube && $(GO) run ./serve -bin $$bin -headway ../../headway
