package audit

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCalibrationRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "calibration.json")
	if c, err := LoadCalibration(path); c != nil || err != nil {
		t.Errorf("a file that is not there gives %+v, %v", c, err)
	}
	want := Calibration{EventsPerSecond: 123456.5, Streams: 10000, RequestsPerSecond: 5000, CPUPerEvent: 6e-6,
		StampP50: -3e-6, StampP99: 4e-6, StampP999: 9e-6}.
		Here(time.Date(2026, 11, 23, 15, 0, 0, 5, time.UTC))
	for range 2 { // over itself, too
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := LoadCalibration(path)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	want.CPUs++
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadCalibration(path); c != nil || err != nil {
		t.Errorf("that of another machine gives %+v, %v", c, err)
	}
}

func TestCalibrationFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	for text, says := range map[string]string{
		"":                          "unexpected end",
		`{"headway_calibration":1`:  "unexpected end",
		`{"headway_calibration":2}`: "version is 2",
		`{"streams":5}`:             "version is 0",
		`{"headway_calibration":1,"streams":-5,"events_per_s":1e300}`: "events_per_s is 1e+300, which no machine " +
			"does\nstreams",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadCalibration(path); err == nil || !strings.Contains(err.Error(), says) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := (Calibration{Streams: -1}).Save(path); err == nil {
		t.Error("a calibration that nothing can read is kept")
	}
	blocked := filepath.Join(path, "in a file")
	if err := (Calibration{}).Save(blocked); err == nil {
		t.Error("kept in a folder that is a file")
	}
}

// What is not a file stays what it is: a rename would put a file in the place
// of a device.
func TestCalibrationReplacesOnlyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := (Calibration{}).Save(path); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "HEADWAY_CALIBRATION") {
		t.Errorf("kept in the place of a socket: %v", err)
	}
	if _, err := LoadCalibration(path); err == nil || !strings.Contains(err.Error(), "no ordinary file") {
		t.Errorf("a socket is read: %v", err)
	}
	if s, err := os.Stat(path); err != nil || s.Mode()&os.ModeSocket == 0 {
		t.Errorf("the socket is now %v, %v", s, err)
	}
}

func TestCalibrationPath(t *testing.T) {
	got, err := CalibrationPath([]string{"A=b", "HEADWAY_CALIBRATION=/x/y.json"})
	if err != nil || got != "/x/y.json" {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("XDG_CACHE_HOME", "/cache")
	t.Setenv("HOME", "/home/x")
	if got, err = CalibrationPath([]string{"HEADWAY_CALIBRATION="}); err != nil ||
		filepath.Base(got) != "calibration.json" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzCalibration(f *testing.F) {
	f.Add([]byte(`{"headway_calibration":1,"streams":5,"events_per_s":1e5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseCalibration(text)
		if err == nil && (c.Streams < 0 || c.EventsPerSecond < 0 || c.RequestsPerSecond < 0) {
			t.Errorf("%+v", c)
		}
	})
}
