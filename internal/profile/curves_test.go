package profile

import (
	"slices"
	"testing"
)

func TestSpreadOfLengths(t *testing.T) {
	if got := spread([]int{1, 2, 3}, 3); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("%v", got)
	}
	if got := spread([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, 3); !slices.Equal(got, []int{1, 5, 9}) {
		t.Errorf("%v", got)
	}
}

// What is said under a picture is drawn in it.
func TestCurvesOfPoints(t *testing.T) {
	var s DecodeSurface
	for _, isl := range []int{100, 200} {
		for _, n := range []int{1, 4} {
			s.Points = append(s.Points, DecodePoint{ISL: isl, Requests: n, KVUsage: 0.1 * float64(n),
				Context: float64(isl), ITL: Figure{Mean: 0.01, N: 1}, Throughput: Figure{Mean: 50, N: 1}})
		}
	}
	all := s.curves("")
	if len(all) != 2 {
		t.Fatalf("%d pictures", len(all))
	}
	d := all[0].Data()
	if len(d.Series) != 2 || d.Series[1].Name != "prompts of 200 tokens" || len(d.Series[1].X) != 2 || d.Note != "" {
		t.Errorf("%+v", d)
	}
	if none := (DecodeSurface{}).curves("about"); len(none) != 0 {
		t.Errorf("of nothing there are %d pictures", len(none))
	}
}
