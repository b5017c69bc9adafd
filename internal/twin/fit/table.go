package fit

import (
	"os"
	"path/filepath"
	"strings"

	"headway/internal/profile/step"
)

// ReadTable reads the points of a half of a profile from its table, for folders that
// were kept without the journal. Lengths are as the server counted them; points that
// failed are left out. It has nothing where the journal lies beside the table.
func ReadTable(path string) ([]Point, error) {
	name := strings.TrimSuffix(path, ".csv")
	if _, err := os.Stat(name + ".jsonl"); err == nil {
		return nil, nil
	}
	phase, _, _ := strings.Cut(filepath.Base(name), "_")
	rows, err := step.ReadTable(filepath.Dir(path), phase)
	if err != nil {
		return nil, err
	}
	var all []Point
	for _, r := range rows {
		if p := pointOf(r, phase); !r.Failed() && p.known() {
			all = append(all, p)
		}
	}
	return all, nil
}

func pointOf(r step.Row, phase string) Point {
	p := Point{Sequences: 1, ISL: r.Count("server_isl"), OSL: 1, TTFT: r.Number("ttft_ms")}
	if p.ISL == 0 {
		p.ISL = r.Count("isl")
	}
	if phase == "decode" {
		p.Sequences, p.OSL = r.Count("requests"), r.Count("osl")
		p.TTFT, p.ITL = 0, r.Number("server_itl_ms")
		if p.ITL == 0 {
			p.ITL = r.Number("itl_ms") / step.ServerTokens(r["warnings"])
		}
	}
	return p
}
