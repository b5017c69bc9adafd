package profile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/profile/step"
	"headway/internal/settings"
)

// KeptHalf is a half that was read from a folder.
type KeptHalf struct {
	Half
	Phase Phase
	// Untold says what the folder does not tell of it, a sentence each.
	Untold []string
	// Settings are what it was measured with; empty where that is not known.
	Settings settings.Settings
	// Bare says that there are no points but the planner's arrays: nothing is
	// known of intervals.
	Bare bool
}

// ReadHalf reads what was measured in depth of a phase into a folder: its points, of
// any version, or where these are missing the arrays that the planner reads, also
// Dynamo's own. It wraps [fs.ErrNotExist] where there is neither.
func ReadHalf(dir string, p Phase) (KeptHalf, error) {
	path := JournalPath(dir, p)
	data, err := bound.ReadFile(path, bound.Document, "the journal")
	if errors.Is(err, fs.ErrNotExist) || err == nil && !hasPoints(data) {
		return readArrays(dir, p)
	}
	if err != nil {
		return KeptHalf{}, fmt.Errorf("reading the %s points: %w", p, err)
	}
	j := &Journal{prefills: map[int]PrefillPoint{}, decodes: map[[2]int]DecodePoint{}}
	if _, err := j.read(data, p, path, nil); err != nil {
		return KeptHalf{}, fmt.Errorf("reading the %s points: %w", p, err)
	}
	k := KeptHalf{Phase: p, Settings: settingsOf(data)}
	if j.Skipped > 0 {
		k.untold("%d lines of %s could not be read", j.Skipped, path)
	}
	k.Half, err = k.points(dir, j)
	return k, err
}

func (k *KeptHalf) untold(format string, args ...any) {
	k.Untold = append(k.Untold, fmt.Sprintf(format, args...))
}

// points are those of a journal, in the order of the grid, with those that failed.
func (k *KeptHalf) points(dir string, j *Journal) (Half, error) {
	arrays, err := readNamed(dir, k.Phase)
	if errors.Is(err, fs.ErrNotExist) {
		k.untold("the %s profile in %s has not been measured to its end", k.Phase, dir)
	} else if err != nil {
		k.untold("%v", err)
	}
	failed, err := readFailed(dir, k.Phase)
	if err != nil {
		k.untold("points that failed: %v", err)
	}
	facts := Facts{
		GPUs:        k.number("num-gpus"),
		AttentionDP: k.number("attention-dp-size"),
		KVTokens:    k.number("max-kv-tokens"),
	}
	if kv := arrays["max_kv_tokens"]; len(kv) == 1 {
		facts.KVTokens = int(kv[0])
	}
	if k.Phase == Prefill {
		return PrefillCurve{Facts: facts, Points: j.curve(failed)}, nil
	}
	return DecodeSurface{Facts: facts, Points: j.surface(failed)}.marked(computeBeside(dir)), nil
}

// curve are the points of prefill, with those that failed and were not measured since.
func (j *Journal) curve(failed []step.Row) []PrefillPoint {
	all := slices.Collect(maps.Values(j.prefills))
	for _, f := range failed {
		if _, since := j.prefills[f.Count("isl")]; !since {
			all = append(all, PrefillPoint{ISL: f.Count("isl"), Quality: failedQuality(f)})
		}
	}
	slices.SortFunc(all, func(a, b PrefillPoint) int { return cmp.Compare(a.ISL, b.ISL) })
	return all
}

// surface are the points of decode, in the same way.
func (j *Journal) surface(failed []step.Row) []DecodePoint {
	all := slices.Collect(maps.Values(j.decodes))
	for _, f := range failed {
		if _, since := j.decodes[[2]int{f.Count("isl"), f.Count("requests")}]; !since {
			all = append(all, DecodePoint{ISL: f.Count("isl"), OSL: f.Count("osl"), Requests: f.Count("requests"),
				KVUsage: f.Number("kv_usage"), Context: f.Number("context"), Quality: failedQuality(f)})
		}
	}
	slices.SortFunc(all, func(a, b DecodePoint) int {
		return cmp.Or(cmp.Compare(a.ISL, b.ISL), cmp.Compare(a.Requests, b.Requests))
	})
	return all
}

// number is that of an option, 0 where it is not known.
func (k *KeptHalf) number(option string) int {
	n, _ := strconv.Atoi(k.Settings[option])
	return n
}

// settingsOf are those in the first line of a journal.
func settingsOf(journal []byte) settings.Settings {
	first, _, _ := strings.Cut(string(journal), "\n")
	var l journalLine
	if json.Unmarshal([]byte(first), &l) != nil {
		return nil
	}
	s, _ := settings.Read(l.Settings) // a file of another version may have none
	return s
}

// About is what is said under the pictures of an engine that ran already; "" where
// the settings do not tell it.
func (k *KeptHalf) About(version string, name func(fault.Field) string) string {
	var models, urls []string
	noModels := json.Unmarshal([]byte(k.Settings["model"]), &models)
	noURLs := json.Unmarshal([]byte(k.Settings["url"]), &urls)
	if noModels != nil || noURLs != nil || len(urls) == 0 {
		return ""
	}
	about := About(models, urls[0], k.number("num-gpus"), k.number("repeats"), version, name)
	return about + " · " + Tokens(k.Qualities())
}

// About is what is said under the pictures of an engine that ran already.
func About(models []string, url string, gpus, repeats int, version string, name func(fault.Field) string) string {
	return fmt.Sprintf("%s at %s · %s · %s · headway %s", strings.Join(models, ","), url, GPUs(gpus),
		fault.Text(name, "%s %d", fault.Field("repeats"), repeats), version)
}
