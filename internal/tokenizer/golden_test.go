package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goldenRow is what the reference library makes of a text.
type goldenRow struct {
	Text    string `json:"text"`
	IDs     []int  `json:"ids"`
	Decoded string `json:"decoded"`
}

func checkGolden(t *testing.T, tok *Tokenizer, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s holds no texts", file)
	}
	wrong := 0
	for _, row := range rows {
		got := tok.Encode(row.Text)
		if !slices.Equal(got, row.IDs) {
			t.Errorf("Encode(%q)\n got  %v %q\n want %v %q", row.Text, got, pieces(tok, got), row.IDs,
				pieces(tok, row.IDs))
			wrong++
		}
		if n := tok.Count(row.Text); n != len(row.IDs) {
			t.Errorf("Count(%q) = %d, want %d", row.Text, n, len(row.IDs))
		}
		if d := tok.Decode(row.IDs); d != row.Decoded {
			t.Errorf("Decode(%v)\n got  %q\n want %q", row.IDs, d, row.Decoded)
			wrong++
		}
		if wrong > 10 {
			t.Fatal("and so on")
		}
	}
}

func pieces(tok *Tokenizer, ids []int) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = tok.core.pieces.piece(id)
	}
	return out
}

func fixtures(t testing.TB) []string {
	files, err := filepath.Glob("testdata/*.tokenizer.json")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d fixtures, want 25 or more (%v)", len(files), err)
	}
	return files
}

func TestLoadedAgreeWithReference(t *testing.T) {
	for _, file := range fixtures(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".tokenizer.json")
		t.Run(name, func(t *testing.T) {
			tok, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, tok, filepath.Join("testdata", name+".golden.json"))
		})
	}
}

func TestBuiltinAgreesWithReference(t *testing.T) {
	tok, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, tok, "testdata/builtin.golden.json")
}
