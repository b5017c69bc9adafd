package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	limit "headway/internal/bound"
	"headway/internal/config"
)

// calibrationVersion is that of the file.
const calibrationVersion = 1

// Calibration is what this machine can carry, as `headway calibrate` measured
// it over loopback. A figure that is 0 was not measured and is compared with
// nothing.
type Calibration struct {
	Version int       `json:"headway_calibration"`
	Made    time.Time `json:"made"`
	// OS, Arch, CPUs and MaxProcs say on what: figures of another number of
	// processors are of another machine.
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	CPUs     int    `json:"cpus"`
	MaxProcs int    `json:"max_procs"`

	// Noisy says that something else was busy meanwhile or that repeats
	// differed: the figures are lower than what the machine can carry.
	Noisy bool `json:"noisy,omitempty"`

	// EventsPerSecond is how many chunks of streams can be read in a second,
	// Streams how many can be open at a time, RequestsPerSecond how many
	// requests can be started and finished in a second.
	EventsPerSecond   float64 `json:"events_per_s"`
	Streams           int     `json:"streams"`
	RequestsPerSecond float64 `json:"requests_per_s"`
	// CPUPerEvent is the client's processor time in seconds for one chunk.
	CPUPerEvent float64 `json:"cpu_s_per_event"`
	// StampP50 to StampP999 are quantiles of the error of an arrival's time
	// in seconds: the kernel's stamp less the server's send time.
	StampP50  float64 `json:"stamp_error_p50_s"`
	StampP99  float64 `json:"stamp_error_p99_s"`
	StampP999 float64 `json:"stamp_error_p999_s"`
}

// Here fills in the version, the time and the machine.
func (c Calibration) Here(now time.Time) Calibration {
	c.Version, c.Made = calibrationVersion, now.Round(time.Second)
	c.OS = runtime.GOOS
	c.Arch = runtime.GOARCH
	c.CPUs = runtime.NumCPU()
	c.MaxProcs = runtime.GOMAXPROCS(0)
	return c
}

// fits says whether the figures are of a machine like this one.
func (c Calibration) fits() bool {
	return c.OS == runtime.GOOS && c.Arch == runtime.GOARCH && c.CPUs == runtime.NumCPU() &&
		c.MaxProcs == runtime.GOMAXPROCS(0)
}

// check says what is wrong with the figures.
func (c Calibration) check() error {
	var bad []error
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"events_per_s", c.EventsPerSecond}, {"streams", float64(c.Streams)}, {"requests_per_s", c.RequestsPerSecond},
		{"cpu_s_per_event", c.CPUPerEvent},
	} {
		if !(f.value >= 0 && f.value < 1e15) {
			bad = append(bad, fmt.Errorf("%s is %v, which no machine does", f.name, f.value))
		}
	}
	return errors.Join(bad...)
}

// CalibrationPath is where a calibration is kept: HEADWAY_CALIBRATION, or
// headway/calibration.json in the user's cache folder.
func CalibrationPath(environ []string) (string, error) {
	for _, e := range environ {
		if path, ok := strings.CutPrefix(e, "HEADWAY_CALIBRATION="); ok && path != "" {
			path, err := config.ExpandHome(path, os.Getenv)
			if err != nil {
				err = fmt.Errorf("environment variable HEADWAY_CALIBRATION: %w", err)
			}
			return path, err
		}
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the calibration: %w (HEADWAY_CALIBRATION names a file)", err)
	}
	return filepath.Join(dir, "headway", "calibration.json"), nil
}

// LoadCalibration reads a calibration. It is nil without an error where there
// is none, or one of a machine with other processors.
func LoadCalibration(path string) (*Calibration, error) {
	if err := onlyFile(path); err != nil {
		return nil, fmt.Errorf("reading the calibration %s: %w", path, err) // a pipe would never end
	}
	text, err := limit.ReadFile(path, limit.Document, "the calibration")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the calibration: %w", err)
	}
	c, err := parseCalibration(text)
	if err != nil {
		return nil, fmt.Errorf("reading the calibration %s: %w (headway calibrate makes it anew)", path, err)
	}
	if !c.fits() {
		return nil, nil
	}
	return c, nil
}

func parseCalibration(text []byte) (*Calibration, error) {
	var c Calibration
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	if c.Version != calibrationVersion {
		return nil, fmt.Errorf("its version is %d and not %d", c.Version, calibrationVersion)
	}
	return &c, c.check()
}

// Save writes the calibration, whole or not at all, and makes its folder. A
// device, a pipe or a folder of that name is left as it is, with an error: the
// new file would take its place.
func (c Calibration) Save(path string) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("keeping the calibration: %w", err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the calibration: %w", err)
	}
	if err := onlyFile(path); err != nil {
		return fmt.Errorf("keeping the calibration in %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keeping the calibration: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".calibration-*")
	if err != nil {
		return fmt.Errorf("keeping the calibration: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // of no use
		return fmt.Errorf("keeping the calibration in %s: %w", path, err)
	}
	return nil
}

// onlyFile reports what is there and is no ordinary file.
func onlyFile(path string) error {
	if s, err := os.Stat(path); err == nil && !s.Mode().IsRegular() {
		return errors.New("it is no ordinary file: name another with HEADWAY_CALIBRATION")
	}
	return nil
}
