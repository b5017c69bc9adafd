package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// sampledPoint leaves the samples of a run of a point, begun in that minute of an hour.
func sampledPoint(t *testing.T, dir, point string, minute int, power float64) {
	t.Helper()
	run := filepath.Join(dir, filepath.FromSlash(point), "repeat_1")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"headway_telemetry":1,"origin":"2026-11-30T19:%02d:00Z","interval_s":1,`+
		`"sources":["http://g","this host"]}`+"\n", minute)
	for at := range 3 {
		text += fmt.Sprintf(`{"t_s":%d,"source":0,"kind":"gpu","of":"0","values":{"power":%v}}`+"\n", at+1, power)
		text += fmt.Sprintf(`{"t_s":%d,"source":1,"kind":"host","values":{"cpu_time":%d,"cpu_idle":%d}}`+"\n",
			at+1, 4*at, 3*at)
	}
	if err := os.WriteFile(filepath.Join(run, report.FileNames("").Telemetry), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What was sampled during the points of a profile is drawn in the order in which they
// were measured, without the time between them.
func TestPageOfAProfileHasItsSamples(t *testing.T) {
	dir := t.TempDir()
	sampledPoint(t, dir, "decode_points/isl_900", 30, 500)
	sampledPoint(t, dir, "prefill_points/isl_100", 10, 300)
	sampledPoint(t, dir, ".removed/isl_100", 1, 1)
	curves, begins := alongPoints((&builder{}).pointRuns(dir))
	if len(curves) != 2 {
		t.Fatalf("%d curves, not one of a GPU and one of a host: %+v", len(curves), curves)
	}
	power, host := curves[0], curves[1]
	if want := []float64{0, 1, 2, 2, 3, 4}; !slices.Equal(power.At, want) {
		t.Errorf("times %v, want %v", power.At, want)
	}
	if want := []float64{300, 300, 300, 500, 500, 500}; !slices.Equal(power.Values, want) {
		t.Errorf("power %v, want %v", power.Values, want)
	}
	want := append(slices.Repeat([]string{"isl_100"}, 3), slices.Repeat([]string{"isl_900"}, 3)...)
	if !slices.Equal(power.Points, want) {
		t.Errorf("points %q, want %q", power.Points, want)
	}
	if want := []picture.Begin{{Name: "prefill"}, {Name: "decode", At: 2}}; !slices.Equal(begins, want) {
		t.Errorf("sections %v, want %v", begins, want)
	}
	if host.Name != "this host" || host.Values[0] != 25 {
		t.Errorf("the host is %+v, want 25 %% of its processors busy", host)
	}
	one := study.FoundOther{Name: "p", Dir: dir, Other: profiled{}}
	text := written(t, &study.Disk{Root: "p", Others: []study.FoundOther{one}})
	for _, want := range []string{"<h3>Power of the GPUs</h3>", "<h3>Processors of the hosts busy</h3>",
		"one after the other", "isl_900"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// The point of a candidate of a search is told with the candidate.
func TestPointOf(t *testing.T) {
	for path, want := range map[string][2]string{
		"prefill_points/isl_100/repeat_1/t": {"prefill", "isl_100"},
		"decode_TP2/load_8/repeat_1/t":      {"decode_TP2", "decode_TP2 load_8"},
	} {
		section, point := pointOf("d", filepath.Join("d", filepath.FromSlash(path)))
		if got := [2]string{section, point}; got != want {
			t.Errorf("%s is of %q, want %q", path, got, want)
		}
	}
}
