package model

import "testing"

// Other figures leave the table as it is, and scale the rates of all formats.
func TestGPUWith(t *testing.T) {
	g, err := LookupGPU("h100_sxm")
	if err != nil {
		t.Fatal(err)
	}
	bf16, fp8 := g.FLOPS[BF16], g.FLOPS[FP8]
	w := g.With(1, 2, 2*bf16)
	if w.MemoryBytes != 1 || w.BytesPerSecond != 2 || w.FLOPS[BF16] != 2*bf16 || w.FLOPS[FP8] != 2*fp8 {
		t.Errorf("%+v", w)
	}
	if same := g.With(0, 0, 0); same.MemoryBytes != g.MemoryBytes || g.FLOPS[FP8] != fp8 {
		t.Error("figures that were not given changed, or the table did")
	}
}
