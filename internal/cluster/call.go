package cluster

import (
	"strconv"
	"time"

	"headway/internal/engine"
	"headway/record"
	"headway/workload"
)

// call is a request in flight and the Record that it will be.
type call struct {
	job     job
	session *session
	rec     *record.Record
	started bool // its first token is there, or it is over: others may prefill

	base time.Duration // of the replay

	first, last time.Duration // of its tokens, as told so far
	tick        int64         // of the tokens that follow the last Token event
	told        int           // tokens up to that event
}

func (c *call) request() *workload.Request { return &c.session.turns[c.session.turn] }

// blank is the Record of a request that was not sent yet, as the load
// generator makes it.
func blank(req *workload.Request, planned record.Time) record.Record {
	return record.Record{
		Index: req.Index, Warmup: req.Phase == workload.Warmup,
		Session: req.Session, Turn: req.Turn, Planned: planned,
		PlannedISL: req.Prompt.Tokens + req.Prompt.Prefix.Tokens, PlannedOSL: req.OutputTokens,
	}
}

// newCall makes a session's next request ready to be sent now.
func (r *replay) newCall(s *session) (*call, error) {
	req := &s.turns[s.turn]
	tokens, blocks, err := r.reader.read(req, &s.talk)
	if err != nil {
		return nil, err
	}
	h, err := parseHints(req.Extra)
	if err != nil {
		return nil, err
	}
	output, err := r.outputOf(req, tokens)
	if err != nil {
		return nil, err
	}
	c := r.reuse()
	r.lastID++
	c.session, c.base = s, r.base
	c.job = job{id: r.lastID, tokens: tokens, output: output, blocks: blocks}
	if r.cfg.CachesReplies() && s.goesOn() {
		c.job.said = r.reader.reply(req, blocks, tokens+output-1)
		c.job.blocks = c.job.said[:len(blocks)]
	}
	if err := r.adapt(&c.job, req); err != nil {
		return nil, err
	}
	h.apply(&c.job)
	rec := blank(req, stamp(s.planned))
	rec.Start, rec.Sent, rec.Ack = stamp(r.now), stamp(r.now), stamp(r.now)
	rec.TokensIn, rec.TokensOut, rec.TokensReasoning = tokens, 0, 0
	rec.Streamed = true
	c.rec = &rec
	return c, nil
}

// reuse is a call that nobody needs any more, cleared.
func (r *replay) reuse() *call {
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		*c = call{}
		return c
	}
	return &call{}
}

func (r *replay) recycle(c *call) { r.free = append(r.free, c) }

// outputOf is how long a reply will be: as long as was asked for, else as long
// as the recorded answer, else as the simulated endpoint decides.
func (r *replay) outputOf(req *workload.Request, tokens int) (int, error) {
	if req.OutputTokens > 0 {
		return req.OutputTokens, nil
	}
	if req.Prompt.Reference != "" {
		n, err := r.reader.countText(req.Prompt.Reference)
		return max(n, 1), err
	}
	return unlimitedOutput(req.Prompt.Key, tokens), nil
}

// unlimitedOutput is the length of a reply that nobody limits: 0.8 to 1.2
// times the prompt, at least 16, by the rule of aiperf's mock server. The key
// stands for the request's content.
func unlimitedOutput(content workload.Key, prompt int) int {
	factor := 0.8 + 0.4*content.Named("length").Rand().Float64()
	return max(int(factor*float64(prompt)), 16)
}

// take notes an event of the worker.
func (c *call) take(f *fleet, e engine.Event) {
	switch e.Kind {
	case engine.Token:
		if e.Token == 1 {
			c.first = e.At
		}
		c.last, c.told, c.tick = e.At, e.Token, e.Tick
		if f.cfg.TokenArrivals {
			c.arrive(e.At, 1+e.Drafted, c.job.output)
		}
	case engine.Preempted, engine.Finished:
		c.silent(f, e.Token)
		c.last = e.At
	}
}

// silent adds the tokens up to so many that no event told of.
func (c *call) silent(f *fleet, tokens int) {
	if !f.cfg.TokenArrivals || tokens <= c.told {
		return
	}
	ticks := c.job.on.eng.Ticks()
	for ; c.told < tokens; c.told++ {
		c.arrive(ticks[c.tick]-c.base, 1, c.job.output)
		c.tick++
	}
}

// arrive adds an arrival; the first one makes room for n.
func (c *call) arrive(at time.Duration, tokens, n int) {
	if c.rec.Arrivals == nil {
		c.rec.Arrivals = make([]record.Arrival, 0, n)
	}
	c.rec.Arrivals = append(c.rec.Arrivals, record.Arrival{At: stamp(at), Kind: record.Content, Tokens: tokens})
}

// cut notes what a reply had when it was broken off. Tokens that nobody told
// of are counted where their times are kept.
func (c *call) cut(f *fleet) {
	if c.job.on == nil || c.told == 0 {
		return
	}
	if isFixed(f.cfg) || f.cfg.API != nil {
		return
	}
	ticks := c.job.on.eng.Ticks()
	for f.cfg.TokenArrivals && int(c.tick) < len(ticks) && c.told < c.job.output {
		c.last = ticks[c.tick] - c.base
		c.arrive(c.last, 1, c.job.output)
		c.tick++
		c.told++
	}
}

// close fills in what is known at the end.
func (c *call) close(f *fleet, now time.Duration) *record.Record {
	rec := c.rec
	rec.Done = stamp(now)
	switch {
	case c.job.ack > 0:
		rec.Ack = stamp(c.job.ack - c.base)
	case f.cfg.API != nil && c.told > 0:
		rec.Ack = stamp(c.first)
	}
	out := c.told
	if rec.Outcome == record.OK {
		out = c.job.output
	}
	rec.TokensOut = out
	rec.Sparse = !f.cfg.TokenArrivals
	switch {
	case out == 0 || len(rec.Arrivals) > 0:
	case out == 1:
		c.arrive(c.first, 1, min(2, out))
	default:
		c.arrive(c.first, 1, min(2, out))
		if rec.Arrivals[0].At < stamp(c.last) {
			rec.Arrivals = append(rec.Arrivals,
				record.Arrival{At: stamp(c.last), Kind: record.Content, Tokens: out - 1})
		} else {
			rec.Arrivals[0].Tokens = out
		}
	}
	if rec.Outcome == record.Failed {
		rec.TokensOut, rec.Ack = -1, 0
		return rec
	}
	if c.job.on != nil {
		rec.Worker = workerName(&c.job)
	}
	if rec.Outcome == record.OK {
		rec.Usage = map[string]int{"prompt_tokens": c.job.tokens, "completion_tokens": out,
			"total_tokens": c.job.tokens + out, "prompt_cache_read_tokens": max(c.job.cached, 0)}
		for i, t := range f.cfg.Tiers {
			rec.Usage["prompt_cache_read_"+t.Name+"_tokens"] = c.job.tiered[i]
		}
	}
	return rec
}

// workerName is the number of the worker that answered, and before it that of
// the worker that computed the prompt, where it was another: "12+3".
func workerName(j *job) string {
	if j.prefill != nil {
		return strconv.Itoa(j.prefill.number) + "+" + strconv.Itoa(j.on.number)
	}
	return strconv.Itoa(j.on.number)
}
