package profile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGrids(t *testing.T) {
	for _, v := range []struct {
		grid                 func(context, granularity int) ([]int, error)
		context, granularity int
		want                 []int
	}{
		{PrefillGrid, 16384, 8, []int{100, 2071, 4042, 6013, 7984, 9955, 11926, 13897, 15868}},
		{PrefillGrid, 4096, 4, []int{100, 971, 1842, 2713, 3584}}, // divides without a rest
		{PrefillGrid, 615, 3, []int{100, 101, 102, 103}},
		{DecodeGrid, 131072, 6, []int{100, 21862, 43624, 65386, 87148, 108910}},
		{DecodeGrid, 4096, 4, []int{100, 999, 1898, 2797}},
	} {
		got, err := v.grid(v.context, v.granularity)
		if err != nil || !slices.Equal(got, v.want) {
			t.Errorf("context %d, granularity %d: %v, %v, want %v", v.context, v.granularity, got, err, v.want)
		}
	}
	for want, f := range map[string]func() ([]int, error){
		"at least 3":            func() ([]int, error) { return PrefillGrid(4096, 2) },
		"at least 616 are":      func() ([]int, error) { return PrefillGrid(600, 4) },
		"at least 2 for decode": func() ([]int, error) { return DecodeGrid(4096, 1) },
		"at least 900 are":      func() ([]int, error) { return DecodeGrid(899, 4) },
	} {
		if got, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v, want %s", got, err, want)
		}
	}
}

// With one rank the numbers are those of Dynamo's profiler; with several they
// keep to the cache, where its are too large.
func TestRequestNumbers(t *testing.T) {
	for args, want := range map[[3]int][]int{
		{1, 100, 6}:  {1, 20, 40, 60, 80, 100},
		{1, 5, 6}:    {1, 2, 3, 4, 5},
		{1, 3000, 6}: {1, 400, 800, 1200, 1600, 2000},
		{8, 40, 6}:   {8, 16, 24, 32, 40},
		{8, 64, 6}:   {8, 16, 24, 40, 48, 64},
		{8, 400, 6}:  {8, 80, 160, 240, 320, 400},
		{4, 4000, 6}: {4, 400, 800, 1200, 1600, 2000},
		{1, 50, 1}:   {50},
		{4, 3, 6}:    nil,
		{1, 0, 6}:    nil,
	} {
		if got := RequestNumbers(args[0], args[1], args[2]); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", args, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ranks, most, granularity := rapid.IntRange(1, 64).Draw(t, "ranks"), rapid.IntRange(0, 5000).Draw(t, "most"),
			rapid.IntRange(1, 40).Draw(t, "granularity")
		got := RequestNumbers(ranks, most, granularity)
		say := fmt.Sprint(got)
		if len(got) > granularity || (len(got) == 0) != (min(most, MaxConcurrency) < ranks) {
			t.Fatalf("%s: %d numbers", say, len(got))
		}
		for i, n := range got {
			if n%ranks != 0 || n > most || n > MaxConcurrency || i > 0 && n <= got[i-1] {
				t.Fatalf("%s", say)
			}
		}
		if n := len(got); n > 1 && (got[0] != ranks || got[n-1] != min(most, MaxConcurrency)/ranks*ranks) {
			t.Fatalf("%s: the ends are missing", say)
		}
	})
}
