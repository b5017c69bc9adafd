package study_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"headway/endpoint"
	"headway/study"
	"headway/workload"
)

// Eight requests in flight at a server, and what its users waited for.
func ExampleMeasure() {
	url, stop := simulated() // any server of the OpenAI API
	defer stop()
	ctx := context.Background()
	c := endpoint.Config{URLs: []string{url}, Model: "qwen3", Tokenizer: endpoint.BuiltinTokenizer}
	server, err := endpoint.Open(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	prompts := workload.Synthetic{Key: workload.Seed(1), Requests: 40}
	prompts.ISL, prompts.OSL = workload.Length{Mean: 100}, workload.Length{Mean: 5}
	plan := workload.Plan{Source: prompts.Source(), Concurrency: 8}
	rep, err := study.Measure(ctx, server, plan, study.Options{})
	if err != nil {
		log.Fatal(err)
	}
	p99 := rep.Figure("time_to_first_token", "p99") // with its interval, in milliseconds
	fmt.Println(rep.Result.OK, "of", rep.Result.Planned, "requests answered; complete:", rep.Complete())
	fmt.Println("p99 TTFT in", p99.Unit, "above 0:", p99.Value > 0)
	// Output:
	// 40 of 40 requests answered; complete: true
	// p99 TTFT in ms above 0: true
}

// A sweep over numbers of requests in flight. Each level has prompts of its own, which
// follow from its key.
func ExampleSweep() {
	url, stop := simulated()
	defer stop()
	ctx := context.Background()
	c := endpoint.Config{URLs: []string{url}, Model: "qwen3", Tokenizer: endpoint.BuiltinTokenizer}
	server, err := endpoint.Open(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	levels, err := study.Sweep(ctx, server, []int{1, 2, 4}, func(concurrency int, key workload.Key) workload.Plan {
		prompts := workload.Synthetic{Key: key, Requests: 10 * concurrency}
		prompts.ISL, prompts.OSL = workload.Length{Mean: 50}, workload.Length{Mean: 2}
		return workload.Plan{Source: prompts.Source()}
	}, study.Options{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, level := range levels { // report.WriteLevels prints the table
		run := level.Runs[0]
		fmt.Println(run.Run.Concurrency, "in flight:", run.Result.OK, "answered")
	}
	// Output:
	// 1 in flight: 10 answered
	// 2 in flight: 20 answered
	// 4 in flight: 40 answered
}

// Four simulated H200 behind two routers, under five requests a second for two minutes,
// for which nobody waits: time is virtual.
func ExampleSimulate() {
	prompts := workload.Synthetic{
		Key: workload.Seed(7), ISL: workload.Length{Mean: 500}, OSL: workload.Length{Mean: 100},
		PrefixPool: 100, PrefixTokens: 6000, Until: 2 * time.Minute,
		Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 5},
	}
	for _, router := range []string{"round-robin", "kv"} {
		c := study.Cluster{Workers: 4, Router: router, Model: "qwen3-32b", GPU: "h200_sxm"}
		rep, err := study.Simulate(context.Background(), c, workload.Plan{Source: prompts.Source()},
			study.Options{Seed: 7})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %.0f %% of prompt tokens cached, mean TTFT %.0f ms\n", router,
			100*float64(rep.Run.Cluster.HitRate), rep.Figure("time_to_first_token", "avg").Value)
	}
	// Output:
	// round-robin: 30 % of prompt tokens cached, mean TTFT 640 ms
	// kv: 47 % of prompt tokens cached, mean TTFT 416 ms
}
