// Package router compares ways of routing requests: each of several loads is put
// on each of several variants, which are router modes of a simulated cluster or
// live endpoints, once or with several seeds.
//
// Options become variants and a [Benchmark]; [Study] makes the runs, keeps those of
// an earlier call, and gives a [report.Comparison]. It prints nothing.
package router

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/internal/tokenizer"
	"headway/record"
	"headway/report"
	"headway/report/picture"
	"headway/workload"
)

// Study is one call of a benchmark.
type Study struct {
	Benchmark
	Options  *options.Comparison
	Variants []Variant
	Seed     uint64
	Caller   study.Caller
	Env      options.Caller
	// Tell says how the study goes; nil does not.
	Tell func(format string, args ...any)
	// Watch sees runs on real endpoints while they go; nil does not.
	Watch study.Watcher
	// Called is what an option is called in warnings; nil leaves it its name.
	Called func(fault.Field) string

	header    record.Header
	secrets   report.Redactor
	settings  settings.Settings
	tokenizer *tokenizer.Tokenizer // of simulated requests
	book      study.Book
	setups    map[string]*study.Setup  // of endpoints that are ready, by variant
	agreed    map[string]openai.Agreed // which fields they take, by variant
	replies   *study.Replies
	summary   report.Comparison
	kept      int // runs of the variant that are of an earlier call
}

// Before are the settings of the call that began the folder of a benchmark; nil
// where there is none.
func Before(o *options.Comparison, benchmark string) (settings.Settings, error) {
	return (&study.Book{Dir: o.Dir(benchmark)}).Before()
}

// Check finds requests that no simulated worker can ever run: a
// [study.TooLongError].
func (s *Study) Check() error {
	if s.Options.Live() {
		return nil
	}
	cfg, err := s.cluster(s.Variants[0], 0)
	if err != nil {
		return err
	}
	for _, l := range s.Loads {
		p, err := l.Plan(s.key(l, s.Variants[0], 0), 0)
		if err != nil {
			return err
		}
		if err := study.Fits(cfg, p.Source); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	return nil
}

// Refused says of an error of Run that nothing was measured, and nothing in the
// folder was changed: it belongs to another call, or the load does not fit.
func Refused(err error) bool {
	var long *study.TooLongError
	return errors.As(err, &long) || errors.Is(err, study.ErrHasResults) || errors.Is(err, settings.ErrChanged)
}

// Run makes all runs and writes their files and those of the comparison. Of what
// was measured before an error or the end of ctx there is a comparison, too; it is
// nil where that is nothing. The folder must be this process's.
func (s *Study) Run(ctx context.Context) (*report.Comparison, error) {
	s.begin()
	defer s.close()
	if err := s.book.Open(); err != nil {
		return nil, err
	}
	cases, err := s.cases(ctx)
	if len(cases) == 0 {
		return nil, err
	}
	s.summary.Cases = cases
	s.conclude()
	pictures, e := picture.WriteComparison(s.book.Dir, &s.summary)
	s.tell("results: %s (results_summary.json, %d pictures), seed %d", s.book.Dir, len(pictures)/2, s.Seed)
	if ctx.Err() != nil {
		s.tell("%s", fault.New("the same call with %s goes on", fault.Field("resume")))
	}
	return &s.summary, errors.Join(err, e)
}

// begin sets what does not depend on what is measured.
func (s *Study) begin() {
	dir := s.Options.Dir(s.Name)
	s.setups, s.agreed = map[string]*study.Setup{}, map[string]openai.Agreed{}
	s.book = study.Book{Dir: dir, Names: report.FileNames(""), Runs: []string{"*/*", "*/*/repeat_*"},
		Settings: s.settings, Resume: s.Options.Resume, Overwrite: s.Options.Overwrite}
	s.summary = report.Comparison{Benchmark: s.Name, Simulated: !s.Options.Live(), Command: s.header.Command,
		Seed: s.Seed, Secrets: s.secrets, Notes: s.Notes, Warnings: s.Warnings}
	if s.Tiers == nil {
		s.summary.Baseline = baseline(s.Variants)
	}
	if s.Axis != "" {
		s.summary.Over(s.Axis)
	}
}

func (s *Study) close() {
	for _, g := range s.setups {
		g.Close()
	}
}

// cases puts each load on each variant. Runs that were made before an error or the
// end of ctx are returned with it.
func (s *Study) cases(ctx context.Context) ([]report.Case, error) {
	var all []report.Case
	for _, l := range s.Loads {
		k := report.Case{Name: l.Name, X: l.X}
		var err error
		for _, v := range s.Variants {
			var arm report.Arm
			if arm, err = s.arm(ctx, l, v); arm.Report != nil {
				k.Arms = append(k.Arms, arm)
				s.progress(l, arm)
			}
			if err != nil {
				err = fmt.Errorf("%s on %s: %w", l.Name, v.Name, err)
			}
			if err != nil || ctx.Err() != nil {
				break
			}
		}
		if len(k.Arms) > 0 {
			all = append(all, k)
		}
		if err != nil || ctx.Err() != nil {
			return all, err
		}
	}
	return all, nil
}

// arm makes the runs of a load on a variant, and returns those that were made
// before an error or the end of ctx. All but the first go to folders below that of
// the first.
func (s *Study) arm(ctx context.Context, l Load, v Variant) (report.Arm, error) {
	at := filepath.Join(l.Name, v.Name)
	arm := report.Arm{Name: v.Name, Dir: filepath.ToSlash(at)}
	for i := range s.repeats() {
		dir := filepath.Join(s.book.Dir, at)
		if i > 0 {
			dir = study.RepeatDir(dir, i)
		}
		rep, tiers, err := s.measure(ctx, run{load: l, variant: v, repeat: i, dir: dir})
		switch {
		case rep == nil:
		case i == 0:
			arm.Report, arm.Tiers = rep, tiers
		default:
			arm.Repeats = append(arm.Repeats, rep)
		}
		if err != nil || ctx.Err() != nil {
			return arm, err
		}
	}
	return arm, nil
}

// simulatedRepeats is how many runs there are where nothing is said: in virtual
// time they cost little.
const simulatedRepeats = 5

// repeats is how many runs there are of each load on each variant. Rows that are
// played as they are give the same run again.
func (s *Study) repeats() int {
	switch {
	case s.Options.Repeats > 0:
		return s.Options.Repeats
	case s.Options.Live() || s.Fixed:
		return 1
	}
	return simulatedRepeats
}

// cluster is the simulated cluster of a variant in a repeat.
func (s *Study) cluster(v Variant, repeat int) (cluster.Config, error) {
	speedup := s.Speedup
	if speedup == 0 {
		speedup = 1
	}
	return s.Options.Cluster(v.Mode, speedup, s.Seed+uint64(repeat))
}

// key names the text of a load. All variants get the same, but for tagged and
// untagged requests to one endpoint: the second run would meet the cache that
// the first one warmed. Lengths, times and tiers are the same for all.
func (s *Study) key(l Load, v Variant, repeat int) workload.Key {
	key := workload.Stream{Run: "router " + s.Name, Level: l.Name, Repeat: repeat}.Key(s.Seed)
	if v.Tagged {
		key = key.Named("tagged")
	}
	return key
}

func (s *Study) tell(format string, args ...any) {
	if s.Tell != nil {
		s.Tell(format, args...)
	}
}

// progress says what a load gave on a variant.
func (s *Study) progress(l Load, a report.Arm) {
	ttft := "no TTFT"
	if text := a.Figure("time_to_first_token", "avg").String(); text != "" {
		ttft = "TTFT mean " + text + " ms"
	}
	kept := ""
	if s.kept > 0 {
		kept = fmt.Sprintf(" (%d of %d runs kept)", s.kept, len(a.Runs()))
	}
	s.kept = 0
	s.tell("%s on %s: %d ok, %d failed, %s%s", l.Name, a.Name, a.Report.Result.OK, a.Report.Result.Failed, ttft, kept)
}

// Failure is the error of a comparison in which a variant answered nothing, or
// ended itself; nil where there is none.
func (s *Study) Failure() error {
	for _, k := range s.summary.Cases {
		for _, a := range k.Arms {
			for _, rep := range a.Runs() {
				if err := s.failure(a.Name, rep); err != nil {
					return fmt.Errorf("%s on %s: %w", k.Name, a.Name, err)
				}
			}
		}
	}
	return nil
}

func (s *Study) failure(variant string, rep *report.Report) error {
	if g := s.setups[variant]; g != nil {
		return g.Advise(rep)
	}
	if r := rep.Result; r.OK == 0 && r.Failed > 0 {
		return fmt.Errorf("every request failed: %s", r.Failures[0].Failure.Described())
	}
	return nil
}
