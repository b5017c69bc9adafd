# make check is what CI runs.
GO ?= go
STATICCHECK ?= $(GO) tool staticcheck

.PHONY: check build test vet generated race fuzz verify-tokens accuracy bench clean

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
	$(GO) test ./metric ./cmd/headway -run 'Current' -count=1

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

bench:
	$(GO) test ./... -run xxx -bench . -benchtime 1s -count 5

clean:
	rm -rf headway results artifacts
