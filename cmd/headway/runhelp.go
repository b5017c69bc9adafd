package main

// Help is shown below the options.
func (runCmd) Help() string {
	return `Examples:

  headway run --model Qwen/Qwen3-0.6B --url http://localhost:8000 --streaming \
      --concurrency 10 --request-count 100 --isl 1000 --osl 200
  headway run --model M --streaming --request-rate 20 --benchmark-duration 60
  headway run --model M --streaming --request-rate 20 --benchmark-duration 60 --max-lag 1ms
      exit code 4 when this client was later than that
  headway run --model M --streaming --input-file trace.csv --request-count 500
  headway run --simulated --streaming --concurrency 4 --objective 'ttft p99 < 200ms'
  headway run --model M --streaming --request-rate 20 --otel-url http://localhost:4318 --otel-traces
      metrics and a trace of each request to an OpenTelemetry collector, see docs/exports.md
  headway run --model M --streaming --request-rate 20 --metrics-listen :9464
      this client's metrics for Prometheus at http://127.0.0.1:9464/metrics
  headway run --model M --streaming --concurrency 16 --request-count 2000 --web 8080
      follow it at http://127.0.0.1:8080`
}
