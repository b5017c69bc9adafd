package synth

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headway/workload"
)

var update = flag.Bool("update", false, "write goldens and presets again")

// presetLimit is how large a model that ships may be.
const presetLimit = 200_000

// The presets are what Fit makes of the public traces.
func TestPresets(t *testing.T) {
	if want := []string{"azure-code", "mooncake-conversation"}; !*update && !slices.Equal(Presets(), want) {
		t.Fatalf("presets %v, want %v", Presets(), want)
	}
	azure, err := workload.ReadFile(shared(t, "azure_llm_2023_code.csv"), workload.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	code, err := Rows(azure.Requests)
	if err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string][]workload.Row{"azure-code": code, "mooncake-conversation": conversation(t)} {
		m, err := Fit(rows, workload.TraceBlock, Compact())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, '\n')
		path := filepath.Join("presets", name+".json")
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(file, text) {
			t.Errorf("%s is not what the trace gives (%v): go test ./workload/synth -run Presets -update", path, err)
		}
		t.Logf("%s: %d bytes, %d nodes, %d classes", path, len(text), len(m.nodes), len(m.classes))
		if len(text) > presetLimit {
			t.Errorf("%s has %d bytes, more than %d", path, len(text), presetLimit)
		}
	}
}

func TestPresetsDraw(t *testing.T) {
	for _, c := range []struct {
		name                string
		rows                int
		prefixes            bool
		input, output, rate float64
	}{{"azure-code", 8819, false, 2047.8, 27.9, 2.567},
		{"mooncake-conversation", 12031, true, 12035.1, 342.6, 3.4015}} {
		m, err := Preset(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Rows != c.rows || m.Prefixes != c.prefixes {
			t.Errorf("%s: %d rows, prefixes %v", c.name, m.Rows, m.Prefixes)
		}
		for _, keep := range []bool{false, true} {
			var rows []workload.Row
			for _, d := range checkDrawn(t, m, Options{Requests: c.rows, KeepCorrelation: keep}, c.rows) {
				rows = append(rows, d.Row)
			}
			a, err := Analyze(rows, m.BlockSize)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []struct {
				of        string
				got, want float64
				within    float64 // percent
			}{{"input", a.Input.Mean, c.input, 0.5}, {"output", a.Output.Mean, c.output, 0.5},
				{"rate", a.Arrivals.Rate, c.rate, 5}} {
				if p := percent(v.got, v.want); p < -v.within || p > v.within {
					t.Errorf("%s: %s %v, want %v", c.name, v.of, v.got, v.want)
				}
			}
		}
	}
	if _, err := Preset("nope"); err == nil || !strings.Contains(err.Error(), "azure-code, mooncake-conversation") {
		t.Errorf("error %v", err)
	}
}

func TestModelRoundTrip(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(6, 6)), 80, 16)
	rows[3].HashIDs = nil // a row of which nothing is known
	for _, l := range []Limits{{}, {Nodes: 9, Samples: 12, Gaps: 2, Places: 30}} {
		m, err := Fit(rows, 16, l)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadModel(bytes.NewReader(text), "x")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(m, again) {
			t.Errorf("%+v is read as %+v", m, again)
		}
		if l.Nodes > 0 && len(m.nodes) != l.Nodes {
			t.Errorf("%d nodes, want %d", len(m.nodes), l.Nodes)
		}
		total, samples, want := 0, 0, 0
		for _, n := range m.nodes {
			total += n.leaves + n.ends
		}
		for _, class := range m.classes {
			samples += len(class)
		}
		if want = l.Samples + len(m.classes); l.Samples > 0 && samples > want || total != len(rows) {
			t.Errorf("%d samples, %d rows", samples, total)
		}
	}
}

// What is pruned becomes text of its own: lengths stay.
func TestPruneKeepsLengths(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(7, 7)), 80, 16)
	for keep := 1; keep < 60; keep += 7 {
		m, err := Fit(rows, 16, Limits{Nodes: keep})
		if err != nil {
			t.Fatal(err)
		}
		want, got := []int{}, []int{}
		for i, r := range draw(t, m, Options{Requests: 80, KeepCorrelation: true}) {
			want, got = append(want, rows[i].InputLength), append(got, r.InputLength)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d nodes: lengths %v, want %v", keep, got, want)
		}
	}
}

const smallModel = `{"version":2,"block_size":8,"rows":5,"prefixes":true,` +
	`"nodes":{"parent":[-1,0],"length":[0,2],"leaves":[2,1],"ends":[0,2],"last":[0,3],"leaf_class":[0,0],` +
	`"end_class":[-1,1]},` +
	smallOrder +
	`"classes":[{"unique":[5,20],"output":[1,0],"weight":[1,2]},{"unique":[0],"output":[9],"weight":[2]}],` +
	`"arrivals":{"rate":2,"shape":1,"step_ms":0,"burst":[1,2],"burst_weight":[3,1],"gap_ms":[0.5],"gap_weight":[3]}}`

const smallOrder = `"order":{"most":2,"at":[0,3,1,2,2]},`

// firstVersion is a model that was kept before there was an order.
var firstVersion = strings.Replace(strings.Replace(smallModel, smallOrder, "", 1), `"version":2`, `"version":1`, 1)

// A model without an order can be drawn from, and says what that loses.
func TestFirstVersion(t *testing.T) {
	m, err := ReadModel(strings.NewReader(firstVersion), "old")
	if err != nil {
		t.Fatal(err)
	}
	checkDrawn(t, m, Options{Requests: 30}, 30)
	if lost := strings.Join(m.Lost(Options{}), "; "); !strings.Contains(lost, "fit the trace again") {
		t.Errorf("lost: %s", lost)
	}
	now, err := ReadModel(strings.NewReader(smallModel), "new")
	if err != nil {
		t.Fatal(err)
	}
	if lost := strings.Join(now.Lost(Options{}), "; "); strings.Contains(lost, "fit the trace again") {
		t.Errorf("lost: %s", lost)
	}
}

func TestModelFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"version":2`, `"version":3`, "version 3"},
		{`"version":2`, `"version":0`, "version 0"},
		{smallOrder, "", "order: it is missing"},
		{`"most":2`, `"most":1`, "most 1"},
		{`[0,3,1,2,2]`, `[0,3,1,2]`, "too few"},
		{`[0,3,1,2,2]`, `[0,3,1,2,2,1]`, "1 more than"},
		{`[0,3,1,2,2]`, `[0,5,1,2,2]`, "row 5 of 5"},
		{`[0,3,1,2,2]`, `[3,-1,1,2,2]`, "out of range"},
		{`"rows":5`, `"rows":6`, "rows 6: the nodes have 5"},
		{`"block_size":8`, `"block_size":0`, "block_size 0"},
		{`"prefixes":true`, `"prefixes":false`, "prefixes is false"},
		{`"parent":[-1,0]`, `"parent":[-1,1]`, "node 1: parent 1"},
		{`"parent":[-1,0]`, `"parent":[0,0]`, "must be the root"},
		{`"parent":[-1,0]`, `"parent":[-1]`, "lists of 1 and 2"},
		{`"length":[0,2]`, `"length":[0,0]`, "length 0"},
		{`"length":[0,2]`, `"length":[0,16777000]`, "longer than any prompt"},
		{`"leaves":[2,1]`, `"leaves":[2,-1]`, "leaves -1"},
		{`"leaves":[2,1]`, `"leaves":[2,2]`, "too few for the rows of node 1"},
		{`"output":[1,0],"weight":[1,2]`, `"output":[1,0],"weight":[1,3]`,
			"class 0: its samples are of 4 rows, its nodes have 3"},
		{`"last":[0,3]`, `"last":[0,9]`, "last 9"},
		{`"leaf_class":[0,0]`, `"leaf_class":[0,7]`, "there is no class 7"},
		{`"leaf_class":[0,0]`, `"leaf_class":[0,1]`, "not of its kind"},
		{`"weight":[1,2]`, `"weight":[1,0]`, "out of range"},
		{`"weight":[1,2]`, `"weight":[1]`, "equally long"},
		{`"rate":2`, `"rate":-2`, "rate -2"},
		{`"gap_ms":[0.5]`, `"gap_ms":[0]`, "gap_ms"},
		{`"burst":[1,2]`, `"burst":[1,2.5]`, "burst 2.5"},
		{`"rows":5`, `"rows":5,"x":1`, "unknown field"},
		{`"rows":5`, `"rows":"a`, "invalid character"},
	} {
		text := strings.Replace(smallModel, c.old, c.new, 1)
		if _, err := ReadModel(strings.NewReader(text), "m.json"); err == nil ||
			!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "m.json") {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
	if _, err := ReadModel(strings.NewReader(smallModel), "m.json"); err != nil {
		t.Error(err)
	}
}

// Every model that is read can be drawn from.
func FuzzModel(f *testing.F) {
	f.Add([]byte(smallModel), 1.5, 0.5)
	f.Add([]byte(firstVersion), 1.5, 0.5)
	f.Add([]byte(strings.Replace(smallModel, `"output":[1,0]`, `"output":[100,3]`, 1)), 0.1, 3.0)
	f.Add([]byte(strings.Replace(smallModel, `"block_size":8`, `"block_size":512`, 1)), 1.0, 1.0)
	f.Add([]byte(fmt.Sprintf(`{"version":1,"rows":%d}`, 1<<40)), 1.0, 1.0)
	f.Fuzz(func(t *testing.T, text []byte, prefix, prompt float64) {
		m, err := ReadModel(bytes.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if m2, err := ReadModel(bytes.NewReader(again), "again"); err != nil || !reflect.DeepEqual(m, m2) {
			t.Fatalf("%s is written as %s: %v", text, again, err)
		}
		for i := range 2 {
			o := Options{Requests: 20, PrefixLen: prefix, PromptLen: prompt, Arrivals: Poisson, Rate: 5, PrefixRoots: 2,
				KeepCorrelation: i == 1, MaxISL: 5000 * m.BlockSize}
			n := 0
			for d, err := range m.Draw(o) {
				if err != nil {
					break
				}
				if err := d.Check(m.BlockSize); err != nil {
					t.Fatalf("%s: %+v: %v", text, d, err)
				}
				if n++; n > 20 {
					t.Fatal("more rows than were asked for")
				}
			}
			if _, err := m.Forecast(o); err != nil && o.Validate() == nil {
				t.Fatal(err)
			}
		}
	})
}
