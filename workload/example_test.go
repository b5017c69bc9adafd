package workload_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"headway/workload"
)

// Requests whose lengths are drawn: the same key gives the same, on any machine.
func ExampleSynthetic() {
	load := workload.Synthetic{
		Key:      workload.Seed(42).Named("example"),
		Requests: 3,
		ISL:      workload.Length{Mean: 200, SD: 50},
		OSL:      workload.Length{Mean: 20},
		Arrivals: workload.Arrivals{Pattern: workload.Constant, Rate: 2},
	}
	if err := load.Validate(); err != nil {
		log.Fatal(err)
	}
	for r, err := range load.Source() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("request %d at %v: %d tokens in, %d out\n", r.Index, r.At, r.Prompt.Tokens, r.OutputTokens)
	}
	// Output:
	// request 0 at 500ms: 152 tokens in, 20 out
	// request 1 at 1s: 198 tokens in, 20 out
	// request 2 at 1.5s: 164 tokens in, 20 out
}

// Any function that yields requests is a Source; others change what passes through.
func ExampleSource() {
	hello := func(yield func(workload.Request, error) bool) {
		for i := range 5 {
			r := workload.Request{Index: i, Session: fmt.Sprint("s", i), Turns: 1,
				Prompt: workload.Prompt{Text: "Say hello."}, OutputTokens: 8}
			if !yield(r, nil) {
				return
			}
		}
	}
	every := workload.Arrivals{Pattern: workload.Constant, Rate: 10}
	if _, err := workload.WriteSchedule(os.Stdout,
		workload.Limit(workload.Paced(hello, every, workload.Seed(1), 0), 2)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"index":0,"phase":"profiling","at_ms":100,"session":"s0","turn":0,"turns":1,"prompt":"text","output_tokens":8}
	// {"index":1,"phase":"profiling","at_ms":200,"session":"s1","turn":0,"turns":1,"prompt":"text","output_tokens":8}
}

// A Mooncake trace is read, and says which blocks its prompts share.
func ExampleReadTrace() {
	const trace = `{"timestamp": 0, "input_length": 1200, "output_length": 40, "hash_ids": [1, 2, 3]}
{"timestamp": 500, "input_length": 1500, "output_length": 60, "hash_ids": [1, 2, 4]}`
	t, err := workload.ReadTrace(strings.NewReader(trace), "example", workload.TraceOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(t.Rows), "requests, blocks of", t.BlockSize, "tokens")
	// Output:
	// 2 requests, blocks of 512 tokens
}
