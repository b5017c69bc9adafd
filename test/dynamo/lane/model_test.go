package lane

import (
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/tokenizer"
)

// Each id that the mocker answers with is text, and headway reads the tokenizer
// that Dynamo gets.
func TestModel(t *testing.T) {
	dir := t.TempDir()
	if err := WriteModel(dir); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	for id := 1000; id <= 2000; id++ {
		text := tok.Decode([]int{id})
		if len(strings.TrimSpace(text)) != 2 {
			t.Fatalf("token %d is %q, want two letters", id, text)
		}
	}
	if got := tok.Decode(tok.Encode("Hello there, world")); got != "Hello there, world" {
		t.Errorf("encoded and decoded: %q", got)
	}
}
