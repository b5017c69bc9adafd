package router

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headway/internal/fault"
)

func tokens(n int) *int { return &n }

// twoClasses hold prompts of the default family: those of up to 99 uncached
// tokens, and longer ones. The classes batch and admin have to be asked for.
func twoClasses(short, long int) *Profile {
	return &Profile{
		DefaultFamily: "standard",
		Buckets:       []Bucket{{"short", 0}, {"long", 100}},
		Classes: []Class{
			{Name: "s", Family: "standard", Bucket: "short", Quantum: short, BusyTokens: tokens(2000)},
			{Name: "l", Family: "standard", Bucket: "long", Quantum: long, BusyTokens: tokens(2000)},
			{Name: "bs", Family: "batch", Bucket: "short", Quantum: 1, BusyTokens: tokens(0)},
			{Name: "bl", Family: "batch", Bucket: "long", Quantum: 1, BusyTokens: tokens(0)},
			{Name: "admin", Quantum: 1},
		},
	}
}

func TestClassOf(t *testing.T) {
	p := twoClasses(1, 1)
	for _, v := range []struct {
		asked    string
		uncached int
		want     string
	}{
		{"", 0, "s"}, {"", 99, "s"}, {"", 100, "l"}, {"batch", 5, "bs"}, {"batch", 5000, "bl"},
		{"unknown", 5, "s"}, {"admin", 5000, "admin"},
		{"bl", 5, "s"}, // a class of a family is not asked for by name
	} {
		if got := p.Classes[p.class(v.asked, v.uncached)].Name; got != v.want {
			t.Errorf("%q with %d uncached tokens: class %s, want %s", v.asked, v.uncached, got, v.want)
		}
	}
}

func TestProfileFaults(t *testing.T) {
	for want, spoil := range map[string]func(*Profile){
		`default_policy_family "none"`:                         func(p *Profile) { p.DefaultFamily = "none" },
		"the first min_tokens is 1":                            func(p *Profile) { p.Buckets[0].MinTokens = 1 },
		"min_tokens 0 does not rise above 0":                   func(p *Profile) { p.Buckets[1].MinTokens = 0 },
		`two are called "short"`:                               func(p *Profile) { p.Buckets[1].Name = "short" },
		`none for family "batch" and bucket "short"`:           func(p *Profile) { p.Classes[2].Bucket = "long" },
		`two for family "batch" and bucket "long"`:             func(p *Profile) { p.Classes[2].Bucket = "long" },
		`cache_bucket "medium" is not one`:                     func(p *Profile) { p.Classes[0].Bucket = "medium" },
		`"s": quantum 0: must be from 1 to`:                    func(p *Profile) { p.Classes[0].Quantum = 0 },
		`"s": queue_policy must be fcfs or wspt`:               func(p *Profile) { p.Classes[0].Policy = LCFS },
		"give both policy_family and cache_bucket, or neither": func(p *Profile) { p.Classes[0].Bucket = "" },
		`"batch": is the name of a family, too`:                func(p *Profile) { p.Classes[4].Name = "batch" },
		`policy_classes "l": there are two of this name`:       func(p *Profile) { p.Classes[0].Name = "l" },
		"give at least one of each":                            func(p *Profile) { p.Classes = nil },
	} {
		p := twoClasses(1, 1)
		spoil(p)
		var bad fault.List
		p.Validate(&bad)
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
}

// arriving is a request that waits, by class.
type arriving struct {
	class int
	cost  int
}

// drain pops everything; least is what every worker has to prefill.
func drain(q *queue, least float64) (order []uint64) {
	for {
		r, ok := q.pop(least)
		if !ok {
			return order
		}
		order = append(order, r.ID)
	}
}

func filled(p *Profile, in []arriving) *queue {
	q := newQueue(Config{Profile: p, MaxNumBatchedTokens: 8192})
	for i, a := range in {
		q.push(time.Duration(i), a.class, Request{ID: uint64(i), Tokens: a.cost}, a.cost)
	}
	return &q
}

// Classes release tokens in the ratio of their quanta, and one turn's tokens
// together.
func TestTurns(t *testing.T) {
	for name, v := range map[string]struct {
		short, long int
		in          []arriving
		want        []uint64
	}{
		// A quantum of 10 pays three times 3; the fourth waits for the next turn.
		"one turn": {10, 3, []arriving{{0, 3}, {0, 3}, {0, 3}, {0, 3}, {1, 3}, {1, 3}}, []uint64{0, 1, 2, 4, 3, 5}},
		// Three turns more are enough for the second class (2000 a turn, 8000),
		// and not for the first (1000 a turn, 7000).
		"long prompts": {1000, 2000, []arriving{{0, 7000}, {1, 8000}}, []uint64{1, 0}},
		"one class":    {1, 1, []arriving{{0, 5}, {0, 500}, {0, 1}}, []uint64{0, 1, 2}},
		"equal shares": {5, 5, []arriving{{0, 5}, {0, 5}, {1, 5}, {1, 5}}, []uint64{0, 2, 1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := drain(filled(twoClasses(v.short, v.long), v.in), 0); !slices.Equal(got, v.want) {
				t.Errorf("released %v, want %v", got, v.want)
			}
		})
	}
}

// A class whose workers are all too busy waits, and others go on.
func TestBusyClasses(t *testing.T) {
	q := filled(twoClasses(1, 1), []arriving{{2, 5}, {0, 5}, {2, 5}})
	if got := drain(q, 1500); !slices.Equal(got, []uint64{1}) || q.n != 2 {
		t.Errorf("released %v, and %d wait; want [1] and 2", got, q.n)
	}
	if !q.remove(0) || q.remove(0) || q.n != 1 {
		t.Error("a request that gave up is still there, or another is missing")
	}
	if got := drain(q, 0); !slices.Equal(got, []uint64{2}) {
		t.Errorf("released %v, want [2]", got)
	}
}

// What is cached decides which class holds a request.
func TestClassByCache(t *testing.T) {
	c := mode(KV, 1)
	c.BlockSize, c.MaxNumBatchedTokens, c.Profile = 10, 1000, twoClasses(1, 1)
	r := mustNew(t, c)
	blocks := make([]uint64, 15)
	for i := range blocks {
		blocks[i] = uint64(i + 1)
	}
	if err := r.Apply(0, Event{Kind: Stored, Blocks: blocks}); err != nil {
		t.Fatal(err)
	}
	mustRoute(t, r, Request{ID: 1, Tokens: 3000})
	for id, q := range map[uint64]Request{2: {Tokens: 155, Blocks: blocks}, 3: {Tokens: 155}} {
		q.ID = id
		if d := mustRoute(t, r, q); !d.Queued {
			t.Fatalf("request %d goes to a busy worker", id)
		}
	}
	if d := mustRoute(t, r, Request{ID: 4, Tokens: 155, Class: "admin"}); d.Queued {
		t.Error("a class without a threshold waits")
	}
	short, long := r.queue.classes[0].pending, r.queue.classes[1].pending
	if len(short) != 1 || short[0].ID != 2 || len(long) != 1 || long[0].ID != 3 {
		t.Errorf("short %v, long %v; want requests 2 and 3", short, long)
	}
}
