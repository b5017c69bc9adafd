# make check is what CI runs.
GO ?= go
STATICCHECK ?= $(GO) tool staticcheck

.PHONY: bench-verdict check build test vet generated race fuzz verify-tokens accuracy start coverage twin-hidden plan-risk compare-power duel-power bench clean bench-wire bench-wire-short soak bench-sim bench-records test-kube kube-cluster release sbom govulncheck image pin-images kill-tests

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
	$(GO) test ./metric ./report ./internal/supply -run "Current|Docs" -count=1

race:
	$(GO) test -race -timeout 30m ./...

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

# How often the intervals of twins hold, on so many servers with unknown numbers.
SERVERS ?= 100
twin-hidden:
	GOGC=400 $(GO) test ./internal/twin/hidden -run 'TestHidden$$' -servers $(SERVERS) -count=1 -v -timeout 12h

# The risk that plans state, and how often fresh loads of the same process lose a window:
# the table of docs/plan.md. Four minutes of processor time.
FRESH ?= 150
plan-risk:
	$(GO) test ./internal/plan -run 'TestRiskAgreesWithFreshLoads$$' -fresh $(FRESH) -count=1 -v -timeout 12h

# How often compare calls sides different that are alike, and how often it finds a
# planted 5 % at the size that it recommends: a thousand pairs of each kind in virtual
# time; the tables of docs/accuracy.md. Minutes on one core; POWER=100 is a tenth.
POWER ?= 1000
compare-power:
	POWER=$(POWER) $(GO) test ./internal/compare/power -run 'TestPower$$' -count=1 -v -timeout 2h

# How often a duel of sides that are alike proves a difference at any number of blocks,
# and how soon it finds a planted one: two thousand duels of each kind in virtual time;
# the tables of docs/duel.md. A minute on one core.
DUELS ?= 2000
duel-power:
	POWER=$(DUELS) $(GO) test ./internal/duel/power -run 'TestPower$$' -count=1 -v -timeout 2h

# Every hostile server on both transports: outcome, peak memory and time, each
# held against its bound (docs/limits.md).
.PHONY: hostile
hostile:
	HOSTILE=1 $(GO) test ./internal/openai -run 'TestHostile$$' -count=1 -v

# The command lines of everything that profile sla writes, read by the argument parsers
# of Dynamo's released wheels (test/dynamo/args). Needs Python and PyPI; about 1 GB in
# ~/.cache/headway the first time.
.PHONY: test-dynamo-args
test-dynamo-args:
	GO="$(GO)" test/dynamo/args/run

bench:
	$(GO) test ./... -run xxx -bench . -benchtime 1s -count 5

clean:
	rm -rf headway headway.cdx.json results artifacts dist

# Binaries for linux, darwin and windows on amd64 and arm64 in dist/, with
# checksums, licences and bills of materials; this machine's target is built twice
# and compared (docs/release.md). About ten minutes on two cores.
release:
	GO=$(GO) deploy/release

# What the binary is made of, as CycloneDX JSON.
sbom: build
	./headway version --sbom > headway.cdx.json

# Known vulnerabilities in what is called of the modules that are linked. Needs
# https://vuln.go.dev, or GOVULNDB with a copy of it.
govulncheck:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(if $(GOVULNDB),-db $(GOVULNDB)) ./...

# The image, on a base that is pinned by digest.
image:
	deploy/pin-images --check
	docker build -f deploy/Dockerfile -t headway:latest .

# Pins the images of the Dockerfiles to what their tags are in the registry now.
pin-images:
	deploy/pin-images

# Complete clients against net/http and a C program that only reads, one core
# for the server and one for the client; the figures of docs/performance.md.
# Five rounds of each, about ten minutes on a machine with nothing else to do.
bench-wire:
	WIRE_BENCH=full $(GO) test ./internal/wire/bench -run 'TestWire$$' -count=1 -v -timeout 40m

# The same in well under a minute on an idle machine, for the log: no figure
# fails it.
bench-wire-short:
	WIRE_BENCH=short $(GO) test ./internal/wire/bench -run 'TestWire$$' -count=1 -v -timeout 10m

# The short form without and with 20 endpoints of 2,000 series sampled each second, in turn,
# and what a second of that sampling costs of a core (the bar is 5 %). WIRE_BENCH=full is
# the long form of it.
.PHONY: bench-wire-sampled
WIRE_BENCH ?= short
bench-wire-sampled:
	$(GO) test ./internal/study -run xxx -bench Sampling20 -benchtime 30x
	WIRE_BENCH=$(WIRE_BENCH) WIRE_BENCH_SAMPLED=1 $(GO) test ./internal/wire/bench -run 'TestWire$$' -count=1 -v -timeout 90m

# Against a server with random faults: a million planned requests have one
# Record each, and ten thousand streams leave memory, files and goroutines as
# they were, for an hour. SOAK=10m is a shorter one.
SOAK ?= 1h
soak:
	WIRE_SOAK=$(SOAK) WIRE_SOAK_REQUESTS=1000000 $(GO) test ./internal/wire/bench -run 'TestSoak$$|TestEveryRequest' -count=1 -v -timeout 3h

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

# headway against NVIDIA Dynamo itself, on loopback and without a GPU: its frontend,
# its router and its mocker workers are installed from the package registry into a
# cache (docs/dynamo.md). About a minute after the first time. The short form is
# for CI: it leaves the slowest verb out, and itself where there are no packages.
.PHONY: test-dynamo test-dynamo-short test-dynamo-accuracy
test-dynamo:
	venv=$$(test/dynamo/lane/install.sh) && DYNAMO_VENV=$$venv $(GO) test ./test/dynamo/lane -run 'TestVerbs$$' -count=1 -v -timeout 20m

test-dynamo-short:
	@venv=$$(test/dynamo/lane/install.sh) || case $$? in \
	3) echo "left out: headway against Dynamo itself, for the reason above"; exit 0;; \
	*) exit 1;; esac; \
	if [ -n "$$venv" ]; then DYNAMO_VENV=$$venv $(GO) test ./test/dynamo/lane -run 'TestVerbs$$' -short -count=1 -v -timeout 10m; fi

# The simulated cluster against Dynamo's own, ten paired runs of three loads, and
# replays against Dynamo's own; writes docs/dynamo-study.md. Ten minutes on a machine
# with nothing else to do. DYNAMO_TRACE is the trace of the replays, DYNAMO_TIMED a
# command that runs what is timed, such as a lock.
DYNAMO_REPEATS ?= 10
test-dynamo-accuracy:
	venv=$$(test/dynamo/lane/install.sh) && DYNAMO_VENV=$$venv DYNAMO_REPEATS=$(DYNAMO_REPEATS) \
		DYNAMO_STUDY=$(CURDIR)/docs/dynamo-study.md DYNAMO_TRACE=$(DYNAMO_TRACE) DYNAMO_TIMED="$(DYNAMO_TIMED)" \
		$(GO) test ./test/dynamo/lane -run 'TestStudy$$' -count=1 -v -timeout 2h

# Benchmark Reports held against llm-d's own schema package, and the Parquet tables of a
# run read with pyarrow and DuckDB. Both need Python and PyPI, the former GitHub or a
# checkout (LLMD_BENCHMARK=FOLDER); exit code 77, which make calls an error, says that
# they are not there.
.PHONY: test-llmd test-parquet
test-llmd:
	GO="$(GO)" test/llmd/run

test-parquet:
	GO="$(GO)" INSTALL_SECONDS=600 test/parquet/run

# report.html in a real Chromium: playwright-core from npm, Debian's chromium by
# apt-get where none is installed. SHOTS is a folder for screenshots.
.PHONY: test-browser
test-browser:
	GO=$(GO) SHOTS=$(SHOTS) test/browser/run.sh

# The cluster of test-kube to try things by hand, until it is interrupted.
kube-cluster: build
	bin=$$(GO=$(GO) test/kube/build.sh) && cd test/kube && $(GO) run ./serve -bin $$bin -headway ../../headway

# run, bench, router and profile sla, ended by TERM, TERM twice, HUP and KILL at
# KILL_RUNS random instants: what had finished a second before is there, and
# nothing runs on. About three seconds a run; docs/results.md has the figures.
KILL_RUNS ?= 200
KILL_SEED ?= 1
kill-tests:
	KILL_RUNS=$(KILL_RUNS) KILL_SEED=$(KILL_SEED) $(GO) test ./cmd/headway -run 'TestKilled$$' -count=1 -v -timeout 60m
