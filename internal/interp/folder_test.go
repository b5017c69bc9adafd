package interp

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The NPZ file counts where there is one, else the JSON file, in which a single
// number is a list of one.
func TestReadHalf(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadHalf(dir, "decode", "z_itl"); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "neither selected_decode_interpolation") {
		t.Errorf("nothing there: %v", err)
	}
	write := func(name, data string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("decode_raw_data.json", `{"z_itl": [1, 2.5], "max_kv_tokens": 300}`)
	got, err := ReadHalf(dir, "decode", "z_itl", "max_kv_tokens")
	if err != nil || !slices.Equal(got["z_itl"], []float64{1, 2.5}) ||
		!slices.Equal(got["max_kv_tokens"], []float64{300}) {
		t.Errorf("JSON: %v, %v", got, err)
	}
	for want, data := range map[string]string{"no z_itl": `{}`, "z_itl: ": `{"z_itl": "x"}`,
		"unexpected end": `{"z_itl": [1`} {
		write("decode_raw_data.json", data)
		if _, err := ReadHalf(dir, "decode", "z_itl"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
	write("selected_decode_interpolation/raw_data.npz",
		string(archive(t, NamedArray{"z_itl", Array{Shape: []int{1}, Values: []float64{9}}})))
	if got, err = ReadHalf(dir, "decode", "z_itl"); err != nil || !slices.Equal(got["z_itl"], []float64{9}) {
		t.Errorf("NPZ: %v, %v", got, err)
	}
	if _, err = ReadHalf(dir, "decode", "max_kv_tokens"); err == nil ||
		!strings.Contains(err.Error(), "the archive has no max_kv_tokens") {
		t.Errorf("NPZ without an array: %v", err)
	}
}

func FuzzParseLists(f *testing.F) {
	f.Add([]byte(`{"a": [1, 2], "b": 3}`))
	f.Add([]byte(`{"a": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := ParseLists(data, "a", "b")
		if err == nil && len(values) != 2 {
			t.Errorf("%s: %v", data, values)
		}
	})
}
