package fit

import "testing"

// BenchmarkSimulate is one simulation of a load as a fit takes hundreds of.
func BenchmarkSimulate(b *testing.B) {
	truth := other()
	for _, l := range []*Load{openLoop(1, 300, 10, 1000, 128), closedLoop(8, 24, 1000, 128)} {
		b.Run(l.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Simulate(b.Context(), vllm(), truth, l, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
