package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"headway/internal/filelock"
	"headway/internal/plain"
	"headway/internal/study"
	"headway/record"
	"headway/report"
)

// folder is what lies in a folder of results.
type folder struct {
	path   string
	others func(dir string) (study.Other, error)
	runs   []run
	disk   *study.Disk
}

// run is one measurement, and where it lies below the folder.
type run struct {
	where string
	*study.Remade
}

// OfFolder is a folder of results, or one above several. others, which may be nil,
// reads what profiles and searches left in a folder.
func OfFolder(path string, others func(dir string) (study.Other, error)) Subject {
	f := &folder{path: path, others: others}
	of := func(name string, judge func([]run) Finding) Check {
		return Check{Name: name, Needs: []string{"results"}, Run: func(context.Context) Finding {
			if len(f.runs) == 0 {
				return skipped("there are no requests to look at")
			}
			return judge(f.runs)
		}}
	}
	return Subject{Title: "folder " + path, Checks: []Check{
		{Name: "folder", Run: f.exists},
		{Name: "killed runs", Needs: []string{"folder"}, Run: f.killed},
		{Name: "results", Needs: []string{"folder"}, Run: f.results},
		{Name: "files", Needs: []string{"results"}, Run: f.files},
		{Name: "summaries", Needs: []string{"results"}, Run: f.summaries},
		of("complete", complete), of("counts", f.counts), of("failures", failures), of("timeouts", timeouts),
		of("client", clients), of("objectives", objectives), of("warnings", warnings),
	}}
}

func (f *folder) exists(context.Context) Finding {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return failed(err.Error(), "Give the folder that the run printed behind \"results:\".")
	case !info.IsDir():
		return ok("a file, read as one run")
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return failed(err.Error(), "Give this account the right to read it.")
	}
	return ok(plain.HowMany(len(entries), "entry", "entries"))
}

// partial is the name of a file that has no end yet.
var partial = regexp.MustCompile(regexp.QuoteMeta(report.PartialMark) + `(-[0-9]+)?$`)

// killed looks for what processes left that did not come to their end.
func (f *folder) killed(ctx context.Context) Finding {
	var left, held []string
	err := filepath.WalkDir(f.path, func(path string, e fs.DirEntry, err error) error {
		if err == nil && ctx.Err() == nil && !e.IsDir() && partial.MatchString(e.Name()) {
			if filelock.Held(path) {
				held = append(held, path)
			} else {
				left = append(left, path)
			}
		}
		if err != nil && path != f.path {
			return nil // said where it is read
		}
		return ctx.Err()
	})
	switch {
	case err != nil:
		return warn("not all of it was looked at: "+err.Error(), "Give a folder further below.")
	case len(left) > 0:
		return failed("a process was killed while it wrote "+atMost(3, left), "headway report --recover "+f.path+
			" makes results of the requests that had ended.")
	case len(held) > 0:
		return warn("a run still writes "+atMost(3, held), "Wait for its end.")
	}
	return ok("none")
}

// results reads everything that can be read. That takes as long as `headway report`
// does, whatever the limit of a check.
func (f *folder) results(context.Context) Finding {
	disk, err := study.Remake{Others: f.others}.Read(f.path)
	if err != nil {
		return failed(err.Error(), "No run has ended here: look at the output and the log of the command. A run "+
			"without an "+
			"answered request says why on standard error; one in a cluster in kubectl logs job/NAME.")
	}
	f.disk = disk
	for _, found := range disk.Found {
		for _, l := range found.Levels {
			for _, r := range l.Runs {
				f.runs = append(f.runs, run{f.below(r.Dir), r})
			}
		}
	}
	seen := plain.HowMany(len(f.runs), "run", "runs")
	if n := len(disk.Others); n > 0 {
		seen += fmt.Sprintf(", %s of an engine", plain.HowMany(n, "profile or search", "profiles and searches"))
	}
	if n := len(disk.Summaries); n > 0 {
		seen += fmt.Sprintf(", %s without requests beside them", plain.HowMany(n, "summary", "summaries"))
	}
	unread := slices.DeleteFunc(slices.Clone(disk.Missing), func(text string) bool {
		return strings.Contains(text,
			"--recover")
	})
	if len(unread) > 0 {
		return warn(seen+"; not read: "+atMost(3, unread), "Files may have been cut off by a full disk, or changed "+
			"by hand: "+
			"measure again what is missing.")
	}
	return ok(seen)
}

// below is a path from the folder on.
func (f *folder) below(dir string) string {
	if rel, err := filepath.Rel(f.path, dir); err == nil && rel != "." && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return filepath.Base(dir)
}

// files looks for the files that every run has.
func (f *folder) files(context.Context) Finding {
	var missing []string
	for _, r := range f.runs {
		for _, name := range []string{r.Names.JSON, r.Names.CSV, r.Names.Records} {
			if _, err := os.Stat(filepath.Join(r.Dir, name)); err != nil {
				missing = append(missing, filepath.Join(r.where, name))
			}
		}
	}
	for _, path := range f.disk.Summaries {
		missing = append(missing, filepath.Join(f.below(filepath.Dir(path)), report.FileNames("").Records))
	}
	if len(missing) > 0 {
		return warn("missing: "+atMost(4, missing), "Without records.jsonl (aiperf writes none) figures cannot be "+
			"computed "+
			"again as they were; headway report --write "+f.path+" writes the others.")
	}
	return ok("every run has its records, its summary and its table")
}

// counts holds what was planned against what became of it, and the records against
// the summary beside them.
func (f *folder) counts(runs []run) Finding {
	var odd []string
	planned := 0
	for _, r := range runs {
		x := r.Report.Result
		planned += x.Planned
		if sum := x.OK + x.Failed + x.Cancelled + x.Dropped; sum != x.Planned {
			odd = append(odd, fmt.Sprintf("%s: %d requests were planned, and something became of %d", r.where,
				x.Planned, sum))
		}
		l, err := report.Load(filepath.Join(r.Dir, r.Names.JSON))
		if err != nil {
			continue // the check of the files says that it is missing
		}
		if n, has := l.Value("request_count", "avg"); has && int(n) != x.OK {
			odd = append(odd, fmt.Sprintf("%s: %d answered requests in the records, %.0f in %s", r.where, x.OK, n,
				r.Names.JSON))
		}
		if l.ID != "" && r.Report.Run.ID != "" && l.ID != r.Report.Run.ID {
			odd = append(odd, fmt.Sprintf("%s: records and summary are of two runs", r.where))
		}
	}
	if len(odd) > 0 {
		return failed(atMost(3, odd), "Files of two runs lie in one folder, or some were changed: headway report "+
			"--write "+
			f.path+" makes the summary again of the records.")
	}
	return ok(fmt.Sprintf("%s planned, each with its end", plain.HowMany(planned, "request", "requests")))
}

// complete looks for runs that did not come to their end.
func complete(runs []run) Finding {
	var cut []string
	for _, r := range runs {
		t := r.Report.Run.Trailer
		switch {
		case t.Aborted != "":
			cut = append(cut, r.where+": ended itself: "+t.Aborted)
		case t.Cancelled:
			cut = append(cut, r.where+": interrupted")
		case slices.ContainsFunc(t.Warnings, func(w record.Warning) bool { return w.Code == "recovered" }):
			cut = append(cut, r.where+": recovered, its process was killed")
		}
	}
	if len(cut) > 0 {
		return failed(atMost(3, cut), "The figures are of the first part: measure again (bench and router go on with "+
			"--resume), or quote them as such.")
	}
	return ok("every run came to its end")
}
