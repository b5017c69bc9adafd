package metric

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"headway/record"
)

func TestSendLateness(t *testing.T) {
	sent := func(change func(*record.Record)) *record.Record {
		r := &record.Record{Outcome: record.OK, Planned: ms(10), Start: ms(11), Sent: ms(20), Done: ms(50)}
		change(r)
		return r
	}
	tests := []struct {
		name string
		r    *record.Record
		want float64 // ms
		ok   bool
	}{
		{"to the last byte where no other is known", sent(func(*record.Record) {}), 10, true},
		{"to the first bytes", sent(func(r *record.Record) { r.HTTP.HeadersSent = ms(12) }), 2, true},
		{"without the network's share", sent(func(r *record.Record) {
			r.HTTP = record.HTTP{DNSStart: ms(11), DNSDone: ms(12), ConnectStart: ms(13), ConnectDone: ms(15),
				TLSStart: ms(15), TLSDone: ms(18), HeadersSent: ms(19)}
		}), 3, true},
		{"a connection that another request took was made while this one was already sent",
			sent(func(r *record.Record) {
				r.HTTP = record.HTTP{ConnectStart: ms(11), ConnectDone: ms(30), HeadersSent: ms(12)}
			}), 2, true},
		{"one that was refused ends with its start", sent(func(r *record.Record) {
			r.Outcome, r.Sent, r.HTTP.ConnectStart = record.Failed, 0, ms(11)
		}), 1, true},
		{"never before the start", sent(func(r *record.Record) {
			r.HTTP = record.HTTP{ConnectStart: ms(9), ConnectDone: ms(12), HeadersSent: ms(12)}
		}), 1, true},
		{"early is not late", sent(func(r *record.Record) { r.Planned, r.Sent = ms(30), ms(20) }), 0, true},
		{"not sent", &record.Record{Planned: ms(10)}, 0, false},
		{"dropped with times", sent(func(r *record.Record) { r.Outcome = record.Dropped }), 0, false},
	}
	for _, tt := range tests {
		got, ok := SendLateness(tt.r)
		if ok != tt.ok || !within(1000*got, tt.want, 1e-9) {
			t.Errorf("%s: %v ms, %v; want %v, %v", tt.name, 1000*got, ok, tt.want, tt.ok)
		}
	}
}

func TestPace(t *testing.T) {
	var p Pace
	text, together := record.Content, true
	for i, r := range []*record.Record{
		{Warmup: true, Outcome: record.OK, Planned: ms(1), Start: ms(500), Done: ms(600)},
		{Outcome: record.OK, Planned: ms(100), Start: ms(101), Sent: ms(102), Done: ms(200), Arrivals: []record.Arrival{
			{At: ms(150)}, {At: ms(150), Kind: text, Coalesced: together}, // a role before the text: nothing is wrong
			{At: ms(160), Kind: text}, {At: ms(160), Kind: text, Coalesced: together},
			{At: ms(160), Kind: text, Coalesced: together},
			{At: ms(170), Kind: text, UserspaceStamp: true}, {At: ms(170), Kind: record.Usage, Coalesced: together},
		}},
		{Outcome: record.Failed, Planned: ms(150), Start: ms(154), Sent: ms(154), Done: ms(200)},
		{Outcome: record.OK, Planned: ms(300), Start: ms(300), Sent: ms(306), Done: ms(400)},
		{Outcome: record.Dropped, Planned: ms(900)},
	} {
		r.Index = i
		if err := p.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	got := p.Kept()
	want := Kept{Sent: 3, Good: 2, Late: []float64{0.002, 0.004, 0.006}, Planned: 0.2, Achieved: 0.204, Busy: 0.299,
		Mean: (99.0 + 46 + 100) / 299, Peak: 2,
		Arrivals: 5, Coalesced: 3, UserspaceStamps: 1}
	for i := range want.Late {
		if !within(got.Late[i], want.Late[i], 1e-9) {
			t.Errorf("lateness %v, not %v", got.Late, want.Late)
		}
	}
	for name, v := range map[string][2]float64{"planned": {got.Planned, want.Planned},
		"achieved": {got.Achieved, want.Achieved}, "busy": {got.Busy, want.Busy}, "mean": {got.Mean, want.Mean}} {
		if !within(v[0], v[1], 1e-9) {
			t.Errorf("%s: %v, not %v", name, v[0], v[1])
		}
	}
	got.Late = want.Late
	got.Planned = want.Planned
	got.Achieved = want.Achieved
	got.Busy = want.Busy
	got.Mean = want.Mean
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, not %+v", got, want)
	}
	if empty := (&Pace{}).Kept(); empty.Sent != 0 || empty.Mean != 0 || empty.Planned != 0 ||
		Percentile(empty.Late, 99) != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}

// The order in which Records end changes nothing.
func TestPaceOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []*record.Record
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			records = append(records, drawRecord(t))
		}
		kept := func() Kept {
			var p Pace
			for _, r := range records {
				_ = p.Take(r) // never fails
			}
			return p.Kept()
		}
		before := kept()
		rng := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		if after := kept(); !reflect.DeepEqual(before, after) {
			t.Fatalf("%+v, shuffled %+v", before, after)
		}
	})
}

// A run and its verdict count chunks that were read together alike, also where
// the chunk before had no text.
func TestReadTogetherIsCountedOnce(t *testing.T) {
	r := reply(1, 10, 40, 40, 40, 50, 50)
	for _, i := range []int{2, 3, 5} {
		r.Arrivals[i].Coalesced = true
	}
	r.Arrivals[4].Kind = record.Usage // the last was read with it alone
	var p Pace
	if err := p.Take(r); err != nil {
		t.Fatal(err)
	}
	if k, c := p.Kept(), collect(Options{Streaming: true}, r).Chunks; k.Coalesced != 3 || c.Coalesced != 3 ||
		k.Arrivals != 5 || c.Arrivals != 5 {
		t.Errorf("%d of %d in the audit, %d of %d in the result; want 3 of 5", k.Coalesced, k.Arrivals,
			c.Coalesced, c.Arrivals)
	}
}

// What of a warm-up is in flight while something is measured is part of the
// load; what ended before, or began after, is not.
func TestPaceCountsTheLoadOfTheWarmup(t *testing.T) {
	var p Pace
	for _, r := range []*record.Record{
		{Warmup: true, Outcome: record.OK, Planned: ms(1), Start: ms(1), Done: ms(90)},
		{Warmup: true, Outcome: record.OK, Planned: ms(50), Start: ms(50), Done: ms(150)},
		{Outcome: record.OK, Planned: ms(100), Start: ms(100), Done: ms(200)},
		{Warmup: true, Outcome: record.Cancelled, Planned: ms(150), Start: ms(150), Done: ms(201)},
	} {
		if err := p.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	if k := p.Kept(); k.Sent != 1 || k.Peak != 2 || !within(k.Mean, 2, 1e-9) || !within(k.Busy, 0.1, 1e-9) {
		t.Errorf("%+v", k)
	}
}
