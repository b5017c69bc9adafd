package report

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestFloats has what aiperf's serialiser (orjson 3.11.9) writes.
func TestFloats(t *testing.T) {
	for v, want := range map[float64]string{
		20: "20.0", 0: "0.0", 1e15: "1000000000000000.0", 1e16: "1e+16", 123456789012345678: "1.2345678901234568e+17",
		1e-4: "0.0001", 1e-5: "0.00001", 1.5e-5: "0.000015", 1e-6: "1e-6", 1.25e-7: "1.25e-7", 5e-324: "5e-324",
		math.MaxFloat64: "1.7976931348623157e+308", 0.30000000000000004: "0.30000000000000004",
		123456789.125: "123456789.125", -2.5: "-2.5",
	} {
		if got := string(appendFloat(nil, v)); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	if got := string(appendFloat(nil, math.Copysign(0, -1))); got != "-0.0" {
		t.Errorf("minus zero is written %s", got)
	}
}

func TestEncodedReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(t, "f")
		s := rapid.String().Draw(t, "s")
		e := encoder{indent: rapid.Bool().Draw(t, "indent")}
		e.value(object{{s, f}, {"s", s}, {"list", []any{true, nil, int64(-1), []string{s}}}, {"none", object{}}})
		v, err := decode(e.b)
		if err != nil {
			t.Fatalf("%v in %s", err, e.b)
		}
		n, _ := get(v, s).(json.Number)
		if s != "s" && s != "list" && s != "none" {
			if got, err := n.Float64(); err != nil || got != f {
				t.Fatalf("%v reads back as %v, %v", f, got, err)
			}
		}
		if getString(v, "s") != s && s != "s" {
			t.Fatalf("%q reads back as %q", s, getString(v, "s"))
		}
		again := encoder{indent: e.indent}
		again.value(v)
		if string(again.b) != string(e.b) {
			t.Fatalf("written again:\n%s\n%s", e.b, again.b)
		}
	})
}

func TestObjectLeavesOut(t *testing.T) {
	var o object
	o.add("nan", math.NaN())
	o.add("inf", math.Inf(1))
	o.add("empty", "")
	o.add("nil", nil)
	o.add("raw", json.RawMessage(nil))
	o.add("zero", 0.0)
	e := encoder{}
	e.value(o)
	if string(e.b) != `{"zero":0.0}` {
		t.Errorf("%s", e.b)
	}
}
