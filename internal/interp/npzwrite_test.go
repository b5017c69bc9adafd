package interp

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

func archive(t *testing.T, arrays ...NamedArray) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteNPZ(&b, arrays); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is written is read back, and the same arrays give the same bytes.
func TestWriteNPZ(t *testing.T) {
	all := []NamedArray{
		{"prefill_isl", Array{Shape: []int{3}, Values: []float64{100, 2071, 4042}, Whole: true}},
		{"z_itl", Array{Shape: []int{2, 2}, Values: []float64{1.5, -2, math.Pi, 1e300}}},
		{"empty", Array{Shape: []int{0}}},
		{"number", Array{Values: []float64{7}}},
	}
	data := archive(t, all...)
	if !bytes.Equal(data, archive(t, all...)) {
		t.Error("the same arrays give other bytes")
	}
	got, err := ReadNPZ(data, "prefill_isl", "z_itl", "empty", "number")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		g := got[want.Name]
		if !slices.Equal(g.Shape, want.Shape) || !slices.Equal(g.Values, want.Values) || g.Whole != want.Whole {
			t.Errorf("%s: %+v, want %+v", want.Name, g, want.Array)
		}
	}
	for want, a := range map[string]Array{
		"shape [3] asks for 3":        {Shape: []int{3}, Values: []float64{1}},
		"value 1 is 0.5: not a whole": {Shape: []int{2}, Values: []float64{1, 0.5}, Whole: true},
		"value 0 is NaN: not a whole": {Shape: []int{1}, Values: []float64{math.NaN()}, Whole: true},
	} {
		if err := WriteNPZ(&bytes.Buffer{}, []NamedArray{{"a", a}}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", a, err, want)
		}
	}
}
