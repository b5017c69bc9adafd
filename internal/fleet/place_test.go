package fleet

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/record"
)

// every finds the times of a value by its types, and makes them, so that a field that is
// added to a Record is not forgotten.
func every(v reflect.Value, take func(*record.Time)) {
	if t, ok := v.Addr().Interface().(*record.Time); ok {
		take(t)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Client" { // is set on copies that stay in package metric
				every(v.Field(i), take)
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			every(v.Index(i), take)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		every(v.Elem(), take)
	}
}

func all(r *record.Record) (list []*record.Time) {
	every(reflect.ValueOf(r).Elem(), func(t *record.Time) { list = append(list, t) })
	return list
}

// Each time of a Record is handed out once, and none that did not happen.
func TestTimesOfARecord(t *testing.T) {
	r := &record.Record{}
	want := map[*record.Time]int{}
	for i, at := range all(r) {
		if i%5 > 0 {
			*at = record.Time(1 + i)
			want[at]++
		}
	}
	got := map[*record.Time]int{}
	times(r, func(t *record.Time) { got[t]++ })
	if len(want) < 15 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d times of %d", len(got), len(want))
	}
}

// A Record on the common timeline has the latencies that it had, and each of its times is
// within the error of the true one, however long the request took.
func TestPlaceKeepsLatencies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
		d := rapid.SampledFrom([]Drift{{}, Quartz, {1e-3, 1e-4}, {1e-3, 1e-3}}).Draw(rt, "drift")
		run := rapid.SampledFrom([]time.Duration{time.Second, time.Hour}).Draw(rt, "run")
		c := drawCrystal(r, d, 0, 1)
		from := start - c.off
		c.knots = drawCrystal(r, d, from, from+2*record.Time(run)).knots
		k, err := NewClock(rounds(r, path{1e5, 1e4, 1e4, 0.2}, c, run, 10), d)
		if err != nil {
			rt.Fatal(err)
		}
		rec := &record.Record{}
		before := []record.Time{}
		sent := rapid.Bool().Draw(rt, "sent")
		for _, t := range all(rec) {
			if *t = from + record.Time(r.Int64N(int64(run))); t == &rec.Start && !sent {
				*t = 0
			}
			before = append(before, *t)
		}
		within, err := k.Place(rec)
		if err != nil {
			rt.Fatal(err)
		}
		by := rec.Planned - before[slices.Index(all(rec), &rec.Planned)]
		for i, t := range all(rec) {
			switch b := before[i]; {
			case b == 0:
				if *t != 0 {
					rt.Fatalf("what did not happen is at %d", *t)
				}
			case *t != b+by:
				rt.Fatalf("a time was moved by %d, another by %d", *t-b, by)
			default:
				truth := b + c.off + record.Time(math.Round(c.beyond(float64(b))))
				if off := time.Duration(*t - truth).Abs(); off > within {
					rt.Fatalf("%v from the true time, %v was the most", off, within)
				}
			}
		}
	})
}

func TestPlaceRefuses(t *testing.T) {
	k, err := NewClock([]Ping{{1000, 501_000, 501_000, 2000}}, Quartz)
	if err != nil {
		t.Fatal(err)
	}
	none := &record.Record{Index: 7}
	if within, err := k.Place(none); within != 0 || err != nil || !reflect.DeepEqual(none, &record.Record{Index: 7}) {
		t.Errorf("a Record without a time: %v, %v, %+v", within, err, none)
	}
	early := &record.Record{Index: 7, Planned: 100, Start: 600_000, Done: 700_000}
	kept := *early
	if _, err := k.Place(early); err == nil || !strings.Contains(err.Error(), "request 7 was planned or sent before") ||
		!reflect.DeepEqual(*early, kept) {
		t.Errorf("before time 0: %v, %+v", err, early)
	}
	// Half the round trip is 500 ns, and a tenth of a millisecond later 120 ns more.
	sent := &record.Record{Start: 501_000, Done: 601_000}
	if within, err := k.Place(sent); err != nil || within < 500 || within > 760 || sent.Done-sent.Start != 100_000 ||
		sent.Start < 1000 || sent.Start > 2000 {
		t.Errorf("%+v within %v, %v", sent, within, err)
	}
}
