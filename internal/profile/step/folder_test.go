package step

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a profile's folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	prefillArrays = `{"prefill_isl": [100, 1000, 2000, 4000], "prefill_ttft": [19, 36, 58, 103]}`
	decodeArrays  = `{"x_kv_usage": [0.001, 0.01, 0.02, 0.06], "y_context_length": [1000, 1000, 2000, 2000],
		"z_itl": [4.5, 4.7, 4.9, 5.5], "max_kv_tokens": 1000000}`
	prefillTable = `isl,ttft_ms,ttft_ms_ci95_high,repeats,wide,failed,warnings
100,19,21,3,true,,
1000,36,36.5,3,false,,
2000,58,,1,false,,
4000,103,104,3,false,,
`
	decodeTable = `isl,requests,kv_usage,context,itl_ms,itl_ms_ci95_high,repeats,wide,failed,warnings
750,1,0.001,1000,4.5,,1,false,,the server counted 0.9 times as many reply tokens as the tokenizer here
750,10,0.01,1000,4.7,,1,false,,
1750,10,0.02,2000,,,0,false,it broke,
1750,10,0.02,2000,4.9,,1,false,,
1750,30,0.06,2000,5.5,,1,false,,
`
)

// What tables beside the arrays say of their points is known: repeats, intervals, and
// whose tokens times are of.
func TestReadFolder(t *testing.T) {
	p, err := Read(write(t, map[string]string{"prefill_raw_data.json": prefillArrays,
		"decode_raw_data.json": decodeArrays, "prefill_points.csv": prefillTable, "decode_points.csv": decodeTable}))
	if err != nil {
		t.Fatal(err)
	}
	widest := 21.0
	want := Trust{Points: 8, Single: 5, Wide: 1, Widest: widest/19 - 1, ISL: Ends{100, 4000}, Context: Ends{1000, 2000},
		Requests: 30}
	if p.Trust != want {
		t.Errorf("%#v, want %#v", p.Trust, want)
	}
	near1(t, "of the server's tokens", p.Pass(0, 0, 1, 1000).Seconds(), 4.5e-3/0.9, 0.03)
	const said = "5 of its 8 points were measured once and have no interval, 1 of its 8 points stayed wider than was " +
		"asked for, its widest interval of 95 % is ±11 %"
	if got := p.Trust.String(); got != said {
		t.Errorf("%q, want %q", got, said)
	}
}

// What costs nothing by the points is said: a TTFT that does not grow leaves nothing for
// a prompt's tokens.
func TestReadFlatFolder(t *testing.T) {
	for want, c := range map[string][2]string{
		"TTFT does not grow with prompts":             {"[19, 36, 58, 103]", "[40, 39, 40, 39]"},
		"ITL does not grow with requests or contexts": {"[4.5, 4.7, 4.9, 5.5]", "[4.9, 4.8, 4.9, 4.7]"},
	} {
		p, err := Read(write(t, map[string]string{
			"prefill_raw_data.json": strings.Replace(prefillArrays, c[0], c[1], 1),
			"decode_raw_data.json":  strings.Replace(decodeArrays, c[0], c[1], 1)}))
		if err != nil || !strings.HasPrefix(p.Trust.Flat, want) || !strings.Contains(p.Trust.String(), want) {
			t.Errorf("%v, %+v, want %q", err, p, want)
		}
	}
}

// Arrays of a version that has the column of the front end are of the server's tokens,
// whatever the warnings say of the table's.
func TestReadFolderOfServerTokens(t *testing.T) {
	table := strings.ReplaceAll(decodeTable, ",wide,", ",front_end_bound,")
	p, err := Read(write(t, map[string]string{"prefill_raw_data.json": prefillArrays,
		"decode_raw_data.json": decodeArrays, "decode_points.csv": table}))
	if err != nil {
		t.Fatal(err)
	}
	near1(t, "as it stands", p.Pass(0, 0, 1, 1000).Seconds(), 4.5e-3, 0.03)
	if p.Trust.Untold != 4 {
		t.Errorf("%#v: there is no table of prefill", p.Trust)
	}
}

func TestReadFolderFaults(t *testing.T) {
	whole := map[string]string{"prefill_raw_data.json": prefillArrays, "decode_raw_data.json": decodeArrays}
	for want, c := range map[string][3]string{
		"prefill: there is neither":  {"prefill_raw_data.json", prefillArrays, ""},
		"1 prompt lengths and 4":     {"prefill_raw_data.json", "[100, 1000, 2000, 4000]", "[100, 100, 100, 100]"},
		"prefill_ttft has 3 values":  {"prefill_raw_data.json", ", 103]", "]"},
		"value 0 is -1":              {"prefill_raw_data.json", "[100", "[-1"},
		"have 3, 4 and 4 values":     {"decode_raw_data.json", ", 0.06", ""},
		"must be one request":        {"decode_raw_data.json", "0.001", "0"},
		"decode_points.csv":          {"decode_points.csv", "", `a"b`},
		"points.csv: the file is em": {"prefill_points.csv", "", "\n"},
		"an ITL of 0 s":              {"decode_raw_data.json", "4.5", "0"},
	} {
		files := map[string]string{c[0]: c[2]}
		for name, text := range whole {
			if name != c[0] {
				files[name] = text
			} else if files[name] = strings.Replace(text, c[1], c[2], 1); files[name] == "" {
				delete(files, name)
			}
		}
		if _, err := Read(write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
