package workload

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestLengthDraw(t *testing.T) {
	fixed := []struct {
		length Length
		want   int
	}{
		{Length{Mean: 550}, 550},
		{Length{Mean: 2.5}, 3},
		{Length{Mean: 0.2}, 1},
		{Length{Mean: 1e12}, MaxTokens},
	}
	for _, c := range fixed {
		if got := c.length.Draw(Seed(1).Rand()); got != c.want {
			t.Errorf("%v.Draw() = %d, want %d", c.length, got, c.want)
		}
	}
}

func TestLengthDrawMoments(t *testing.T) {
	const n = 100_000
	r := Seed(7).Rand()
	var xs []float64
	for range n {
		xs = append(xs, float64(Length{Mean: 2000, SD: 10}.Draw(r)))
	}
	mean, variance := moments(xs)
	// Rounding up adds 1/2 to the mean and 1/12 to the variance.
	if math.Abs(mean-2000.5) > 0.15 {
		t.Errorf("mean %v, want 2000.5", mean)
	}
	if sd := math.Sqrt(variance); math.Abs(sd-10) > 0.1 {
		t.Errorf("standard deviation %v, want 10", sd)
	}
}

func TestLengthDrawIsPositive(t *testing.T) {
	r := Seed(7).Rand()
	ones := 0
	for range 10_000 {
		n := Length{Mean: 1, SD: 100}.Draw(r)
		if n < 1 {
			t.Fatalf("drew %d", n)
		}
		if n == 1 {
			ones++
		}
	}
	// A draw that is not positive is repeated, not clipped: half of all draws
	// clipped to 1 would be a spike that no normal law has.
	if ones > 200 {
		t.Errorf("%d of 10000 draws are 1: clipped instead of drawn again", ones)
	}
}

func TestParseSequenceDist(t *testing.T) {
	want := SequenceDist{
		{Length{256, 10}, Length{128, 5}, 40},
		{Length{512, 0}, Length{256.5, 0}, 60},
	}
	for _, s := range []string{
		"256|10,128|5:40;512,256.5:60",
		" 256 | 10 , 128|5 : 40 ; 512,256.5:60; ",
		"[(256|10,128|5):40,(512,256.5):60]",
		"[(256|10, 128|5): 40; (512, 256.5): 60]",
		`{"pairs":[{"isl":256,"isl_stddev":10,"osl":128,"osl_stddev":5,"prob":40},{"isl":512,"osl":256.5,"prob":60}]}`,
		want.String(),
	} {
		got, err := ParseSequenceDist(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
}

func TestParseSequenceDistFaults(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string // parts of the message
	}{
		{"", []string{`pair 1 ""`}},
		{"256:40", []string{"must be ISL,OSL:percent"}},
		{"x,128:40;512,y|z:zz", []string{`pair 1`, `mean "x"`, `pair 2`, `mean "y"`, `deviation "z"`, `percent "zz"`}},
		{"256,128:40;512,256:50", []string{"sum to 90", "must be 100"}},
		{"-1,0:150", []string{"input length mean -1", "output length mean 0", "150 percent", "sum to 150"}},
		{"NaN,1:100", []string{"input length mean NaN"}},
		{"1|-3,1:100", []string{"standard deviation -3"}},
		{"[(1,2):100", []string{"closing ]"}},
		{"[(1,2:100]", []string{"closing )"}},
		{"[1,2:100]", []string{"expected (ISL,OSL)"}},
		{"[]", []string{"no pairs"}},
		{`{"pairs":[]}`, []string{"no pairs"}},
		{`{"pairs":[{"isl":1,"osl":1,"probability":100}]}`, []string{"unknown field", "probability"}},
		{`{"pairs":[{"isl":1,"osl":1,"prob":100}]} x`, []string{"after the object"}},
	} {
		_, err := ParseSequenceDist(c.in)
		if err == nil {
			t.Errorf("%s: no error", c.in)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.in, err, w)
			}
		}
	}
}

func TestSequenceDistShares(t *testing.T) {
	d, err := ParseSequenceDist("100,10:25;200,20:75")
	if err != nil {
		t.Fatal(err)
	}
	r := Seed(3).Rand()
	small := 0
	for range 10_000 {
		isl, osl := d.Draw(r)
		if isl != 10*osl {
			t.Fatalf("drew %d with %d: lengths of different pairs", isl, osl)
		}
		if isl == 100 {
			small++
		}
	}
	// Five standard deviations of a binomial.
	if math.Abs(float64(small)-2500) > 5*math.Sqrt(10_000*.25*.75) {
		t.Errorf("%d of 10000 are of the first pair, want about 2500", small)
	}
}

func FuzzSequenceDist(f *testing.F) {
	for _, s := range []string{
		"256|10,128|5:40;512,256:60", "[(1,2):50,(3,4):50]", "1,1:100", ";;", "[(", "[(1,2)]",
		"1e300,1:100", "inf,1:100",
		`{"pairs":[{"isl":1,"osl":1,"prob":100}]}`, `{"pairs":null}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseSequenceDist(s)
		if err != nil {
			return
		}
		again, err := ParseSequenceDist(d.String())
		if err != nil || !slices.Equal(d, again) {
			t.Fatalf("%q parses to %v, printed as %q that parses to %v, %v", s, d, d.String(), again, err)
		}
		if isl, osl := d.Draw(Seed(1).Rand()); isl < 1 || osl < 1 {
			t.Fatalf("drew %d, %d", isl, osl)
		}
	})
}

func FuzzMillis(f *testing.F) {
	for _, s := range []string{"0", "1.5", "1700000000000.123456", "-1", "1e3", "NaN", "-0.0", "1.", ".5",
		"9223372036854"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseMillis("timestamp", s)
		if err == nil && d < 0 {
			t.Fatalf("%q is %v", s, d)
		}
		var n json.Number
		if json.Unmarshal([]byte(s), &n) == nil && n != "" && err == nil {
			f, _ := n.Float64()
			if math.Abs(f*1e6-float64(d)) > 1+math.Abs(f)*1e-9 {
				t.Fatalf("%q is %v", s, d)
			}
		}
	})
}
