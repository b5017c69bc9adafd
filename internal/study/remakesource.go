package study

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headway/report"
)

// source is a file that a run is made of.
type source struct {
	path string
	make func(string) (*Remade, error)
}

// sourceOf says what a file is by its name and, where that tells nothing, by its
// first line.
func (m Remake) sourceOf(path string) source {
	base := filepath.Base(path)
	switch {
	case strings.HasSuffix(base, ".json"):
		return source{path: path}
	case recordsName.MatchString(base):
		return source{path, m.Records}
	}
	if _, err := headerOf(path); err == nil {
		return source{path, m.Records}
	}
	return source{path, m.Lines}
}

// sources are the best files of each run in a folder: records before lines
// before the summary.
func (m Remake) sources(dir string, d *Disk) []source {
	entries, err := os.ReadDir(dir)
	if err != nil {
		d.Missing = append(d.Missing, err.Error())
		return nil
	}
	var all []source
	have := map[string]bool{}
	for _, e := range entries {
		have[e.Name()] = true
		if n := recordsName.FindStringSubmatch(e.Name()); n != nil && n[2] == "" {
			all = append(all, source{filepath.Join(dir, e.Name()), m.Records})
		} else if n != nil {
			d.Missing = append(d.Missing, fmt.Sprintf("%s is of a run that was killed: "+
				"`headway report --recover %s` makes results of it", filepath.Join(dir, e.Name()), dir))
		}
	}
	names := report.FileNames("")
	for _, name := range []string{names.JSONL, names.JSONL + report.Zst} {
		if len(all) == 0 && have[name] {
			all = append(all, source{filepath.Join(dir, name), m.Lines})
		}
	}
	if len(all) == 0 && have[names.JSON] && !have["profile_runs"] {
		d.Summaries = append(d.Summaries, filepath.Join(dir, names.JSON))
	}
	return all
}
