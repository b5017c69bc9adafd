package duel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Study is one duel.
type Study struct {
	Options *options.Duel
	Watch   study.Watcher
	// Tell says how it goes; nil does not.
	Tell func(format string, args ...any)

	seed    uint64
	plan    *options.Plan
	goodput []metric.Objective
	header  record.Header // of simulated runs
	sides   [2]*side
	rules   Rules
	names   [2]string // of the sides, for people
	secrets report.Redactor
	called  func(fault.Field) string // in texts for people

	referee *Referee
	invalid int // blocks in which the client was the bottleneck
	spent   time.Duration
	why     string // it ended, where that is not that all was decided
}

// mostInvalid blocks in a row in which the client was the bottleneck end a duel.
const mostInvalid = 3

// Run makes blocks until all is decided, the budget is spent, a side is broken or ctx
// ends. What was found until then is in the Result, also with an error.
func (s *Study) Run(ctx context.Context) (*Result, error) {
	s.referee = NewReferee(s.rules)
	for _, d := range s.sides {
		if err := d.book.Open(); err != nil {
			return nil, err
		}
	}
	err := s.blocks(ctx)
	if err != nil {
		s.why = s.text(err)
	}
	res := s.result()
	return res, errors.Join(err, res.write(s.Options.Dir))
}

func (s *Study) blocks(ctx context.Context) error {
	inRow := 0
	for block := 0; ; block++ {
		if s.referee.Decided() {
			return nil
		}
		if s.why = s.over(block); s.why != "" {
			return nil
		}
		counted, err := s.block(ctx, block)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			s.why = "it was interrupted"
			return nil
		}
		if inRow++; counted {
			inRow = 0
		}
		if inRow == mostInvalid {
			s.why = fmt.Sprintf("the client was the bottleneck in %d blocks in a row", inRow)
			return nil
		}
		if err := s.result().write(s.Options.Dir); err != nil {
			return err
		}
	}
}

// text is an error as people read it.
func (s *Study) text(err error) string { return s.secrets.Text(fault.Named(err, s.called).Error()) }

// over says why no other block begins; empty where one does.
func (s *Study) over(block int) string {
	if block >= s.Options.MaxBlocks {
		return fmt.Sprintf("the %d blocks of --max-blocks are made", block)
	}
	most := time.Duration(s.Options.MaxTime)
	if most > 0 && block > 0 && s.spent+s.spent/time.Duration(block) > most {
		return fmt.Sprintf("another block would end after the %g s of --max-time", most.Seconds())
	}
	return ""
}

// bFirst draws which side is first: one of each two blocks in a row has A, the other B.
func (s *Study) bFirst(block int) bool {
	drawn := uint64(workload.Seed(s.seed).Named("duel order").Index(block/2))>>40&1 == 1
	return drawn != (block%2 == 1)
}

// made is what a side gave in a block.
type made struct {
	rep  *report.Report
	kept bool
	err  error
}

// block makes a block; false where the client was the bottleneck.
func (s *Study) block(ctx context.Context, block int) (valid bool, err error) {
	begin, bFirst := time.Now(), s.bFirst(block)
	got := s.both(ctx, block, bFirst)
	if ctx.Err() != nil {
		return false, nil // a block that was cut off says nothing
	}
	for i, m := range got {
		if m.err != nil {
			return false, fmt.Errorf("side %s, block %d: %w", s.sides[i].name, block+1, m.err)
		}
		if m.rep == nil {
			return false, fmt.Errorf("side %s, block %d: nothing was measured", s.sides[i].name, block+1)
		}
		if err := s.fault(s.sides[i], m.rep, block); err != nil && !m.kept {
			return false, err
		} else if err != nil {
			s.drop(block, bFirst, "an earlier call ended with it: "+s.text(err))
			return true, nil
		}
	}
	s.spend(begin, got)
	if got[0].kept != got[1].kept && s.sides[0].simulated == nil {
		s.drop(block, bFirst, "an earlier call was cut off in it, so that its sides are of different times")
		return true, nil
	}
	if why := invalid(got); why != "" {
		s.invalid++
		s.drop(block, bFirst, why)
		return false, nil
	}
	s.referee.Add(block, bFirst, run{got[0].rep}, run{got[1].rep})
	s.progress(block, bFirst, got[0].kept && got[1].kept)
	return true, nil
}

// drop leaves a block out.
func (s *Study) drop(block int, bFirst bool, why string) {
	s.referee.Drop(block, bFirst, why)
	s.tell("block %d does not count: %s", block+1, why)
}

// both makes the runs of both sides.
func (s *Study) both(ctx context.Context, block int, bFirst bool) (got [2]made) {
	one := func(i int) { got[i].rep, got[i].kept, got[i].err = s.measure(ctx, s.sides[i], block) }
	if s.Options.Interleave {
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() { one(i) })
		}
		all.Wait()
		return got
	}
	order := []int{0, 1}
	if bFirst {
		order = []int{1, 0}
	}
	for _, i := range order {
		if one(i); got[i].err != nil || got[i].rep == nil || ctx.Err() != nil {
			break
		}
	}
	return got
}

// invalid is why a block does not count.
func invalid(got [2]made) string {
	for i, m := range got {
		if m.rep.Invalid() {
			return fmt.Sprintf("the client was the bottleneck on side %c", 'A'+i)
		}
	}
	return ""
}

// spend adds what a block took: by the clock, or in its own time where that is virtual
// or was another call's.
func (s *Study) spend(begin time.Time, got [2]made) {
	took := time.Since(begin)
	if s.sides[0].simulated != nil || got[0].kept && got[1].kept {
		took = lasted(got[0].rep.Run) + lasted(got[1].rep.Run)
	}
	s.spent += took
}

// sleep is false where ctx ended meanwhile.
func (s *Study) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Study) tell(format string, args ...any) {
	if s.Tell != nil {
		s.Tell(format, args...)
	}
}

// progress says where the duel stands after a block.
func (s *Study) progress(block int, bFirst, kept bool) {
	first := "A first"
	if bFirst {
		first = "B first"
	}
	if s.Options.Interleave {
		first = "both at once"
	}
	if kept {
		first = "kept"
	}
	text := ""
	for _, r := range s.referee.Rulings {
		text += fmt.Sprintf("; %s %s, %s", r.Figure.Text, r.changeText(), r.Word)
	}
	s.tell("block %d of at most %d (%s)%s", block+1, s.Options.MaxBlocks, first, text)
}

// close ends the connections of live sides.
func (s *Study) close() {
	for _, d := range s.sides {
		if d != nil && d.setup != nil {
			d.setup.Close()
		}
	}
}

// write leaves duel.json in a folder.
func (r *Result) write(dir string) error {
	return report.WriteFile(filepath.Join(dir, "duel.json"), func(w io.Writer) error {
		return report.WriteIndented(w, r.JSON())
	})
}
