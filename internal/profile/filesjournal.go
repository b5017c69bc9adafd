package profile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/settings"
)

// Journal keeps the points of a sweep as they come, one JSON object a line, so
// that an attempt that was cut off is not lost. A nil Journal keeps nothing.
//
// The first line says what is measured; each later attempt adds a line that says
// that it goes on. A last line that was cut off is left out.
type Journal struct {
	// Skipped is how many lines of an earlier attempt could not be read; their
	// points are measured again.
	Skipped int

	file *os.File
	// replaces is the journal of an earlier call that the first point takes the
	// place of; "" where there is none.
	replaces string
	attempts int
	prefills map[int]PrefillPoint
	decodes  map[[2]int]DecodePoint
}

// journalVersion is that of the format.
const journalVersion = 1

// journalLine is any line: the first, one of a later attempt, or a point.
type journalLine struct {
	Version  int             `json:"version,omitempty"`
	Phase    Phase           `json:"phase,omitempty"`
	Settings json.RawMessage `json:"settings,omitempty"`
	Attempt  int             `json:"attempt,omitempty"`
	Prefill  *PrefillPoint   `json:"prefill,omitempty"`
	Decode   *DecodePoint    `json:"decode,omitempty"`
}

// ErrHasPoints says that a journal would be lost.
var ErrHasPoints = errors.New("it has the points of an earlier call")

// PointsName names the points of a phase: their journal, and the folder in which
// each has one with its runs.
func PointsName(p Phase) string { return string(p) + "_points" }

// JournalPath is where the journal of a phase lies below a folder of results.
func JournalPath(dir string, p Phase) string {
	return filepath.Join(dir, PointsName(p)+".jsonl")
}

// OpenJournal opens the journal of a phase in dir, which is made. settings are
// what two attempts must have in common. With resume the points of an earlier
// attempt are kept, and another setting is [settings.ErrChanged]; without it an
// earlier journal with points is ErrHasPoints, unless overwrite says to begin
// anew: the first point then takes the place of all of those.
func OpenJournal(dir string, p Phase, now settings.Settings, resume, overwrite bool) (*Journal, error) {
	path := JournalPath(dir, p)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the result folder: %w", err)
	}
	j := &Journal{prefills: map[int]PrefillPoint{}, decodes: map[[2]int]DecodePoint{}}
	data, err := bound.ReadFile(path, bound.Document, "the journal")
	keep := 0
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("opening the journal: %w", err)
	case !resume && hasPoints(data):
		if !overwrite {
			return nil, fault.New("%s: %w; %s goes on with them, %s begins anew, or choose another %s",
				path, ErrHasPoints, fault.Field("resume"), fault.Field("overwrite"), fault.Field("work-dir"))
		}
		j.replaces = path
		path += newMark
	case resume:
		if keep, err = j.read(data, p, path, now); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j.file = f
	if err := j.begin(keep, p, now); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// newMark stands behind the name of a journal that is to replace another.
const newMark = ".new"

func hasPoints(journal []byte) bool {
	return bytes.Contains(journal, []byte("\n{\"prefill\":")) || bytes.Contains(journal, []byte("\n{\"decode\":"))
}

// begin cuts the file after what was read and says who goes on.
func (j *Journal) begin(keep int, p Phase, now settings.Settings) error {
	err := j.file.Truncate(int64(keep))
	if err == nil {
		_, err = j.file.Seek(int64(keep), io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("beginning the journal %s: %w", j.file.Name(), err)
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("beginning the journal %s: %w", j.file.Name(), err)
	}
	first := journalLine{Version: journalVersion, Phase: p, Settings: raw}
	if j.attempts > 0 {
		first = journalLine{Attempt: j.attempts}
	}
	return j.write(first)
}

// read takes the points of an earlier attempt, made with the settings now (nil: with
// any), and returns how many bytes are whole lines.
func (j *Journal) read(data []byte, p Phase, path string, now settings.Settings) (whole int, err error) {
	whole = bytes.LastIndexByte(data, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(data[:whole]))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		var l journalLine
		err := json.Unmarshal(lines.Bytes(), &l)
		switch {
		case err != nil && n == 1:
			return 0, fmt.Errorf("%s: line 1 does not say what was measured: %w", path, err)
		case err != nil:
			j.Skipped++
		case n == 1 && l.Version != journalVersion:
			return 0, fmt.Errorf("%s: format version %d: only %d is known", path, l.Version, journalVersion)
		case n == 1 && l.Phase != p:
			return 0, fmt.Errorf("%s: it is of %s, not of %s", path, l.Phase, p)
		case n == 1:
			if err := l.same(path, now); err != nil {
				return 0, err
			}
			j.attempts++
		case l.Prefill != nil:
			j.prefills[l.Prefill.ISL] = *l.Prefill
		case l.Decode != nil:
			j.decodes[[2]int{l.Decode.ISL, l.Decode.Requests}] = *l.Decode
		default:
			j.attempts++
		}
	}
	return whole, lines.Err()
}

// same compares the first line with what is to go on; nil goes with any.
func (l journalLine) same(path string, now settings.Settings) error {
	if now == nil {
		return nil // nothing is to go on
	}
	before, err := settings.Read(l.Settings)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return settings.Compare(path, before, now)
}

// write adds a line and has it on the disk when it returns.
func (j *Journal) write(l journalLine) error {
	b, err := json.Marshal(l)
	if err == nil {
		_, err = j.file.Write(append(b, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("keeping a point in %s: %w", j.file.Name(), err)
	}
	return nil
}

// keep writes a point down. One that failed is not kept, so that a later attempt
// tries it again.
func (j *Journal) keep(l journalLine, failed string) error {
	if j == nil || failed != "" {
		return nil
	}
	if err := j.write(l); err != nil || j.replaces == "" {
		return err
	}
	if err := os.Rename(j.file.Name(), j.replaces); err != nil {
		return fmt.Errorf("replacing the points of an earlier call: %w", err)
	}
	j.replaces = ""
	return nil
}

func (j *Journal) attempt() int {
	if j == nil {
		return 0
	}
	return j.attempts
}

func (j *Journal) prefill(isl int) (PrefillPoint, bool) {
	if j == nil {
		return PrefillPoint{}, false
	}
	p, ok := j.prefills[isl]
	return p, ok
}

func (j *Journal) decode(isl, requests int) (DecodePoint, bool) {
	if j == nil {
		return DecodePoint{}, false
	}
	p, ok := j.decodes[[2]int{isl, requests}]
	return p, ok
}

// Kept is how many points an earlier attempt has left.
func (j *Journal) Kept() int { return len(j.prefills) + len(j.decodes) }

// Close closes the file. Where no point was measured that of an earlier call
// stays.
func (j *Journal) Close() error {
	err := j.file.Close()
	if j.replaces != "" {
		err = errors.Join(err, os.Remove(j.file.Name()))
	}
	return err
}
