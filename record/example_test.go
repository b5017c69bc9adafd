package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"headway/record"
)

// Records hold times on the run's clock, and are what is kept on disk. Whoever reads
// them back can compute any metric, also one that did not exist then.
func Example() {
	var file bytes.Buffer
	w, err := record.NewWriter(&file, record.Header{Model: "qwen3", Streaming: true})
	if err != nil {
		log.Fatal(err)
	}
	r := &record.Record{Start: 1_000_000, Sent: 1_200_000, Ack: 20_000_000, Done: 41_000_000, Outcome: record.OK}
	r.Arrivals = []record.Arrival{{At: 21_000_000, Kind: record.Content}, {At: 41_000_000, Kind: record.Content}}
	if err := errors.Join(w.Take(r), w.Close(record.Trailer{Begin: 1, End: 41_000_000})); err != nil {
		log.Fatal(err)
	}

	in, err := record.NewReader(&file, "records.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	for {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: started at %d ns, %d chunks, the first at %d ns\n", r.Outcome, r.Start, len(r.Arrivals),
			r.Arrivals[0].At)
	}
	// Output:
	// ok: started at 1000000 ns, 2 chunks, the first at 21000000 ns
}
