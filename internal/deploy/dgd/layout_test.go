package dgd

import (
	"bytes"
	"maps"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"headway/internal/model"
)

// However a deployment is laid out, an edit makes the same object of it.
func TestLayoutDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(keys(inputs)).Draw(r, "file")
		plain, _ := input(t, name)
		backend, t := inputs[name], r
		d, err := Read([]byte(relaid(t, plain.parts[plain.at])))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d.Object(), plain.Object()) {
			t.Skip("the new layout says something else")
		}
		m := rapid.SampledFrom([]model.Mapping{{Kind: model.TP, Size: 2}, {Kind: model.DEP, Size: 16}}).Draw(t,
			"mapping")
		phase := rapid.SampledFrom([]string{PhasePrefill, PhaseDecode}).Draw(t, "phase")
		got, err := d.Candidate(backend, phase, m, 8)
		if err != nil {
			t.Fatalf("%v\n%s", err, d.YAML())
		}
		want, err := plain.Candidate(backend, phase, m, 8)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Object(), want.Object()) {
			t.Fatalf("another object, from\n%s\nwith\n%s", d.YAML(), got.YAML())
		}
	})
}

// So does what a search found, of one worker or of two.
func TestLayoutDoesNotMatterToFleets(t *testing.T) {
	all := maps.Clone(inputs)
	maps.Copy(all, aggregated)
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(keys(all)).Draw(r, "file")
		plain, _ := input(t, name)
		backend, t := all[name], r
		d, err := Read([]byte(relaid(t, plain.parts[plain.at])))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d.Object(), plain.Object()) {
			t.Skip("the new layout says something else")
		}
		f := rapid.SampledFrom(fleets()).Draw(t, "fleet")
		got, err := d.Fleet(backend, f)
		if err != nil {
			t.Fatalf("%v\n%s", err, d.YAML())
		}
		want, err := plain.Fleet(backend, f)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Object(), want.Object()) {
			t.Fatalf("another object, from\n%s\nwith\n%s", d.YAML(), got.YAML())
		}
	})
}

// relaid writes a document with another indentation, other quotes, and brackets
// here and there.
func relaid(t *rapid.T, part string) string {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(part), &document); err != nil {
		t.Fatal(err)
	}
	left := 10_000
	n, err := expand(&document, &left)
	if err != nil {
		t.Fatal(err)
	}
	restyle(t, n, 0)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(rapid.IntRange(2, 7).Draw(t, "indent"))
	if rapid.Bool().Draw(t, "compact") {
		e.CompactSeqIndent()
	}
	if err := e.Encode(n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func restyle(t *rapid.T, n node, depth int) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!str":
		n.Style = rapid.SampledFrom([]yaml.Style{0, 0, yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle,
			yaml.LiteralStyle}).Draw(t, "style")
	case collection(n) && depth > 1 && rapid.IntRange(0, 9).Draw(t, "flow") == 0:
		n.Style = yaml.FlowStyle
		n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	}
	for _, inner := range n.Content {
		restyle(t, inner, depth+1)
	}
}
