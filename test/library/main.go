// Command library prints the p99 time to first token of a server:
//
//	library http://localhost:8000 MODEL
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"headway/endpoint"
	"headway/study"
	"headway/workload"
)

func main() {
	ctx := context.Background()
	server, err := endpoint.Open(ctx, endpoint.Config{URLs: []string{os.Args[1]}, Model: os.Args[2]})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	prompts := workload.Synthetic{Key: workload.Seed(rand.Uint64()), Requests: 100}
	prompts.ISL, prompts.OSL = workload.Length{Mean: 512}, workload.Length{Mean: 16}
	rep, err := study.Measure(ctx, server, workload.Plan{Source: prompts.Source(), Concurrency: 8}, study.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range rep.Warnings() {
		log.Print(w.Text)
	}
	p99 := rep.Figure("time_to_first_token", "p99")
	fmt.Printf("p99 TTFT %.1f %s, of %d requests\n", p99.Value, p99.Unit, rep.Result.OK)
}
