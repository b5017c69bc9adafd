package synth_test

import (
	"fmt"
	"log"

	"headway/workload"
	"headway/workload/synth"
)

// What of a trace a prefix cache would have held.
func ExampleAnalyze() {
	a, err := synth.Analyze([]workload.Row{
		{InputLength: 1024, OutputLength: 50, HashIDs: []int64{1, 2}},
		{InputLength: 1536, OutputLength: 70, HashIDs: []int64{1, 2, 3}},
		{InputLength: 1024, OutputLength: 60, HashIDs: []int64{1, 4}},
	}, 512)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d different blocks of %d; a cache that forgets none has had %.0f %% of them\n",
		a.Reuse.Distinct, a.Reuse.Blocks, 100*a.Reuse.HitBlocks)
	// Output:
	// 4 different blocks of 7; a cache that forgets none has had 43 % of them
}

// Rows like those of a public trace, from a model of it that is inside.
func ExampleModel_Draw() {
	m, err := synth.Preset("azure-code")
	if err != nil {
		log.Fatal(err)
	}
	rows := 0
	for row, err := range m.Draw(synth.Options{Requests: 1000, Seed: 1}) {
		if err != nil {
			log.Fatal(err)
		}
		if row.InputLength > 0 {
			rows++
		}
	}
	fmt.Println(rows, "rows, as drawn by everybody with this seed")
	// Output:
	// 1000 rows, as drawn by everybody with this seed
}
