package profile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"headway/internal/interp"
	"headway/internal/profile/step"
	"headway/report/picture"
)

// WriteFiles writes the curve below dir, each file whole or not at all:
// selected_prefill_interpolation/raw_data.npz, which Dynamo's planner reads,
// with pictures beside it; prefill_raw_data.json, the same arrays as JSON lists;
// and prefill_points.csv, every point with its spread. about is said under the
// pictures.
func (c PrefillCurve) WriteFiles(dir, about string) error {
	return writeHalf(dir, Prefill, c.Arrays(), c.csv, c.Pictures(about))
}

// WriteFiles writes the surface below dir, as [PrefillCurve.WriteFiles] does the
// curve, under the names of decode.
func (s DecodeSurface) WriteFiles(dir, about string) error {
	return writeHalf(dir, Decode, s.Arrays(), s.csv, s.Pictures(about))
}

func writeHalf(dir string, p Phase, arrays []interp.NamedArray, table func(io.Writer) error,
	pictures []picture.Picture) error {
	folder := filepath.Join(dir, "selected_"+string(p)+"_interpolation")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the result folder: %w", err)
	}
	files := []struct {
		path  string
		write func(io.Writer) error
	}{
		{filepath.Join(folder, "raw_data.npz"), func(w io.Writer) error { return interp.WriteNPZ(w, arrays) }},
		{filepath.Join(dir, string(p)+"_raw_data.json"), func(w io.Writer) error { return writeLists(w, arrays) }},
		{filepath.Join(dir, string(p)+"_points.csv"), table},
	}
	for _, f := range files {
		if err := writeWhole(f.path, f.write); err != nil {
			return err
		}
	}
	for _, g := range pictures {
		if _, err := g.Write(folder); err != nil {
			return fmt.Errorf("drawing %s: %w", g.Name, err)
		}
	}
	return nil
}

// writeWhole writes a file beside its place and renames it, so that there is
// never half of one.
func writeWhole(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// writeLists writes arrays as lists, and max_kv_tokens as a number, as Dynamo's
// ConfigMap of a profile has them.
func writeLists(w io.Writer, arrays []interp.NamedArray) error {
	var b bytes.Buffer
	b.WriteString("{")
	for i, a := range arrays {
		var v any = a.Values
		if a.Name == "max_kv_tokens" {
			v = a.Values[0]
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("array %s: %w", a.Name, err)
		}
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n  %q: %s", a.Name, raw)
	}
	b.WriteString("\n}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// spread is a figure's columns: mean, sample standard deviation, and the ends of
// the 95 % interval of the mean; empty where there is one repeat.
func (f Figure) spread(scale float64) []string {
	if f.N == 0 {
		return []string{"", "", "", ""}
	}
	out := []string{decimal(f.Mean * scale)}
	h := f.HalfWidth()
	if math.IsInf(h, 0) {
		return append(out, "", "", "")
	}
	return append(out, decimal(f.Std*scale), decimal((f.Mean-h)*scale), decimal((f.Mean+h)*scale))
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }

func spreadNames(name string) []string {
	return []string{name, name + "_std", name + "_ci95_low", name + "_ci95_high"}
}

func (c PrefillCurve) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	head := append([]string{"isl"}, spreadNames("ttft_ms")...)
	head = append(append(head, spreadNames("tokens_per_second_per_gpu")...), qualityNames()...)
	rows := [][]string{head}
	for _, p := range c.Points {
		row := append([]string{strconv.Itoa(p.ISL)}, p.TTFT.spread(1e3)...)
		rows = append(rows, append(append(row, p.Throughput.spread(1)...), p.columns(p.TTFT.N)...))
	}
	return out.WriteAll(rows)
}

func (s DecodeSurface) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	head := append([]string{"isl", "osl", "requests", "kv_usage", "context"}, spreadNames("itl_ms")...)
	head = append(append(head, spreadNames("tokens_per_second_per_gpu")...), qualityNames()...)
	head = append(head, "server_itl_ms", step.FrontColumn)
	rows := [][]string{head}
	for _, p := range s.Points {
		row := []string{strconv.Itoa(p.ISL), strconv.Itoa(p.OSL), strconv.Itoa(p.Requests), decimal(p.KVUsage),
			decimal(p.Context)}
		row = append(append(row, p.ITL.spread(1e3)...), p.Throughput.spread(1)...)
		row = append(append(row, p.columns(p.ITL.N)...), p.serverCells()...)
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// serverCells are ITL in the server's tokens, empty where it is not known to be another,
// and whether the front end bounds it.
func (p DecodePoint) serverCells() []string {
	itl := ""
	if v, _ := p.Served(); v != p.ITL.Mean {
		itl = decimal(1e3 * v)
	}
	return []string{itl, strconv.FormatBool(p.FrontBound)}
}

func qualityNames() []string {
	return []string{"repeats", "wide", "server_isl", "cached_share", "failed", "warnings", "invalid"}
}

// columns are the quality's.
func (q Quality) columns(repeats int) []string {
	server, cached := "", ""
	if q.ServerISL > 0 {
		server = decimal(q.ServerISL)
	}
	if q.Cached >= 0 {
		cached = decimal(q.Cached)
	}
	return []string{strconv.Itoa(repeats), strconv.FormatBool(q.Wide), server, cached, q.Failed,
		q.warned(), q.Invalid}
}
