package packed

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Values come back to the last bit, from memory and from bytes, NaN and -0 among them.
func TestBlocksAreExact(t *testing.T) {
	odd := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), 0.1, 1 << 53, 1e-9, 123.456789012}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom(odd),
			rapid.Map(rapid.Int64Range(0, 1e12), func(n int64) float64 { return float64(n) / 1e9 }))
		values := rapid.SliceOfN(value, 0, 50).Draw(t, "values")
		if rapid.Bool().Draw(t, "nanoseconds") {
			for i := range values {
				values[i] = math.Round(float64(i)*1e6) / 1e9
			}
		}
		b := Pack(values)
		read, err := Read(b.Append(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]float64{b.Unpack(nil), read} {
			if len(got) != len(values) || b.Len() != len(values) {
				t.Fatalf("%d values of %d", len(got), len(values))
			}
			for i, v := range values {
				if math.Float64bits(got[i]) != math.Float64bits(v) {
					t.Fatalf("%v is %v", v, got[i])
				}
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	b := Pack([]float64{1, 2, 3})
	f.Add(b.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := Read(data, nil); err == nil && len(got) > len(data)*1<<20 {
			t.Errorf("%d values of %d bytes", len(got), len(data))
		}
	})
}
