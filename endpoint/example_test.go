package endpoint_test

import (
	"context"
	"fmt"
	"log"

	"headway/endpoint"
	"headway/internal/cluster"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// An Endpoint is put between the generator and a server: it makes the prompts, sends
// the requests, and counts the tokens of what came back. Package study does the same in
// one call.
func Example() {
	url, stop := simulated(cluster.ServerConfig{Model: "qwen3"}) // any server of the OpenAI API
	defer stop()
	ctx := context.Background()
	c := endpoint.Config{URLs: []string{url}, Model: "qwen3", Tokenizer: endpoint.BuiltinTokenizer}
	server, err := endpoint.Open(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	prompts := workload.Synthetic{Key: workload.Seed(1), Requests: 6}
	prompts.ISL, prompts.OSL = workload.Length{Mean: 100}, workload.Length{Mean: 5}
	clock := record.NewClock()
	figures := metric.NewCollector(metric.Options{Clock: clock, Streaming: server.Streaming()})
	generator := load.Generator{Target: server, Sink: server.Count(figures, nil), Clock: clock}
	plan := workload.Plan{Source: server.Render(ctx, prompts.Source()), Concurrency: 2}
	if _, err := generator.Run(ctx, plan); err != nil {
		log.Fatal(err)
	}

	result := figures.Result()
	ttft, _ := result.Summary("time_to_first_token")
	input, _ := result.Summary("input_sequence_length")
	fmt.Println(result.OK, "requests answered, of", input.Mean, "tokens each")
	fmt.Println(ttft.Count, "times to first token, the shortest above 0:", ttft.Min > 0)
	// Output:
	// 6 requests answered, of 100 tokens each
	// 6 times to first token, the shortest above 0: true
}

// Every fault of a configuration is named at once, by its field.
func ExampleConfig_Validate() {
	fmt.Println(endpoint.Config{URLs: []string{"ftp://gpu"}, API: "embeddings"}.Validate())
	// Output:
	// Config.API "embeddings": must be chat or completions
	// Config.Model: none given: name the model as the server's /v1/models lists it
	// Config.URLs "ftp://gpu": scheme "ftp": must be http, https or unix
}
