package picture_test

import (
	"bytes"
	"fmt"
	"log"

	"headway/report"
	"headway/report/picture"
)

// The pictures of a sweep, made of the summaries that lie in a folder: ours or aiperf's.
func ExampleOfExperiments() {
	experiments, _, err := report.Tree("../testdata/aiperf-tree", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range picture.OfExperiments(experiments, picture.Options{}) {
		var svg bytes.Buffer
		if err := p.WriteSVG(&svg); err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name)
	}
	// Output:
	// p50_inter_token_latency_vs_concurrency
	// avg_inter_token_latency_vs_concurrency
	// avg_time_to_first_token_vs_concurrency
	// request_throughput_vs_concurrency
	// efficiency_tok_s_gpu_vs_user
}
