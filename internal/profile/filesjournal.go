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

	file     *os.File
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

// The reasons why a journal is not taken.
var (
	ErrHasPoints     = errors.New("it has the points of an earlier call")
	ErrOtherSettings = errors.New("its points were measured with other settings")
)

// JournalPath is where the journal of a phase lies below a folder of results.
func JournalPath(dir string, p Phase) string {
	return filepath.Join(dir, string(p)+"_points.jsonl")
}

// OpenJournal opens the journal of a phase in dir, which is made. settings are
// what two attempts must have in common. With resume the points of an earlier
// attempt are kept, and another setting is ErrOtherSettings; without it an
// earlier journal with points is ErrHasPoints, unless overwrite says to begin
// anew.
func OpenJournal(dir string, p Phase, settings any, resume, overwrite bool) (*Journal, error) {
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	path := JournalPath(dir, p)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the result folder: %w", err)
	}
	j := &Journal{prefills: map[int]PrefillPoint{}, decodes: map[[2]int]DecodePoint{}}
	data, err := os.ReadFile(path)
	keep := 0
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("opening the journal: %w", err)
	case overwrite && !resume:
	case !resume:
		if bytes.Contains(data, []byte("\n{\"prefill\":")) || bytes.Contains(data, []byte("\n{\"decode\":")) {
			return nil, fmt.Errorf("%s: %w; --resume goes on with them, --overwrite begins anew, or choose another --work-dir", path, ErrHasPoints)
		}
	default:
		if keep, err = j.read(data, p, raw); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j.file = f
	if err := j.begin(keep, p, raw); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// begin cuts the file after what was read and says who goes on.
func (j *Journal) begin(keep int, p Phase, settings json.RawMessage) error {
	err := j.file.Truncate(int64(keep))
	if err == nil {
		_, err = j.file.Seek(int64(keep), io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("beginning the journal %s: %w", j.file.Name(), err)
	}
	first := journalLine{Version: journalVersion, Phase: p, Settings: settings}
	if j.attempts > 0 {
		first = journalLine{Attempt: j.attempts}
	}
	return j.write(first)
}

// read takes the points of an earlier attempt and returns how many bytes are
// whole lines.
func (j *Journal) read(data []byte, p Phase, settings json.RawMessage) (whole int, err error) {
	whole = bytes.LastIndexByte(data, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(data[:whole]))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		var l journalLine
		err := json.Unmarshal(lines.Bytes(), &l)
		switch {
		case err != nil && n == 1:
			return 0, fmt.Errorf("line 1 does not say what was measured: %w", err)
		case err != nil:
			j.Skipped++
		case n == 1 && l.Version != journalVersion:
			return 0, fmt.Errorf("format version %d: only %d is known", l.Version, journalVersion)
		case n == 1 && (l.Phase != p || !sameJSON(l.Settings, settings)):
			return 0, fmt.Errorf("%w: there %s, now %s; --overwrite begins anew", ErrOtherSettings, l.Settings, settings)
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

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
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
	return j.write(l)
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

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
