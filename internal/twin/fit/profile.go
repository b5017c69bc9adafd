package fit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"headway/internal/profile"
)

// ReadPoints reads the points of a half of a profile of an endpoint, of which the
// journal is given, lengths as the server counted them. Points that failed are left
// out.
func ReadPoints(journal string) ([]Point, error) {
	phase, _, _ := strings.Cut(filepath.Base(journal), "_")
	half, err := profile.ReadHalf(filepath.Dir(journal), profile.Phase(phase))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it was ended before its first point
	}
	if err != nil {
		return nil, fmt.Errorf("reading the points of %s: %w", journal, err)
	}
	var all []Point
	add := func(p Point, q profile.Quality) {
		if q.ServerISL > 0 {
			p.ISL = int(q.ServerISL + 0.5)
		}
		if q.Failed == "" && p.known() {
			all = append(all, p)
		}
	}
	switch h := half.Half.(type) {
	case profile.PrefillCurve:
		for _, p := range h.Points {
			add(Point{Sequences: 1, ISL: p.ISL, OSL: 1, TTFT: 1e3 * p.TTFT.Mean}, p.Quality)
		}
	case profile.DecodeSurface:
		for _, p := range h.Points {
			itl, _ := p.Served()
			add(Point{Sequences: p.Requests, ISL: p.ISL, OSL: p.OSL, ITL: 1e3 * itl}, p.Quality)
		}
	}
	return all, nil
}

func (p Point) known() bool { return p.Sequences > 0 && p.ISL > 0 && p.TTFT+p.ITL > 0 }
