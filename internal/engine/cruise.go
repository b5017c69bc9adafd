package engine

// cruise takes all steps at once that end within the present call of Step and
// in which nothing happens but that everybody who decodes gets a token: no
// input comes, nobody ends, nobody can be admitted, and the blocks suffice. It
// does what finish and start would do in those steps, without asking what
// cannot be.
func (l *lockstep) cruise(e *Engine) {
	until := e.quietUntil()
	if l.end > until || !l.mayCruise(e) {
		return
	}
	var step load
	for l.end <= until && e.dec.ends.sequences[0].lastTick > e.dec.ticks+1 {
		more := e.dec.crossings()
		if more > e.pool.available() {
			return // somebody has to give way
		}
		e.clock = l.end
		if more > 0 {
			e.pool.take(more)
			e.holding += more
		}
		e.dec.tick()
		e.dec.started++
		e.stats.GeneratedTokens += int64(e.dec.n)
		e.stats.Steps++
		if e.cfg.KeepTicks {
			e.ticks = append(e.ticks, l.end)
		}
		if e.rules.phased {
			l.fall()
		}
		e.dec.measure(&step)
		step.usedBlocks = e.pool.active
		l.end += e.cfg.stepTime(l.model, step)
	}
}

// mayCruise reports whether the step in flight only decodes, and whether the
// next one will too unless somebody ends or gives way. With SGLang whoever
// waits may be admitted at any step, because what is expected of the running
// falls with each.
func (l *lockstep) mayCruise(e *Engine) bool {
	waiting := e.waiting.len() > 0 && (e.rules.phased || !e.stuck)
	return e.cfg.SkipTokens && !e.cfg.CountTokens && !e.dec.drafted && l.ticking && e.dec.fresh == 0 && e.dec.n > 0 &&
		len(l.prompts)+l.fetch.Len() == 0 && !waiting
}
