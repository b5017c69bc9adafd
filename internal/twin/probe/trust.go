package probe

import (
	"errors"
	"fmt"
	"math"

	"headway/internal/fault"
	"headway/internal/twin/fit"
)

// Shares of replies, and of times, from which on a probe is not believed, or not
// quite.
const (
	fewReplies  = 0.05
	chunkShare  = 0.1 // by which chunks may differ from tokens
	manyAChunk  = 1.5 // tokens of a chunk that no twin has
	driftNoted  = 0.1
	driftRefuse = 0.3
)

// ErrUnfit says that no twin can be made of the server as it is.
var ErrUnfit = errors.New("no twin can be made of this server as it is")

// refuse says why no twin can be made of what was seen; nil where one can. counted
// says that this client's counts of tokens were asked for.
func (s Seen) refuse(counted bool) error {
	n := float64(s.Replies)
	switch {
	case s.Replies == 0:
		return errors.New("no request had a reply with text")
	case !counted && float64(s.NoUsage) > fewReplies*n:
		return fault.New("%d of %d replies do not say how many tokens the server counted: turn usage on in the "+
			"server (stream_options.include_usage); %s client does without, for a twin that is less sure",
			s.NoUsage, s.Replies, fault.Field("token-count"))
	case float64(s.OtherLength) > fewReplies*n:
		return fmt.Errorf("%d of %d replies have another length than was asked for: the server heeds neither "+
			"max_tokens with ignore_eos nor min_tokens, and without equal lengths probes are not comparable",
			s.OtherLength, s.Replies)
	case s.Chunks > 0 && float64(s.Counted) > manyAChunk*float64(s.Chunks):
		return fmt.Errorf("a chunk of a reply has %.1f tokens on average: the server decodes speculatively or "+
			"gathers its stream (--stream-interval), which the twin does not model",
			float64(s.Counted)/float64(s.Chunks))
	}
	return nil
}

// doubts are why a twin of what was seen is to be believed less.
func (s Seen) doubts() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if float64(s.NoHead) > fewReplies*float64(s.Replies) {
		say("%d of %d replies have no time of their head: what a request waits for before the engine and in it is "+
			"not told apart", s.NoHead, s.Replies)
	}
	if s.NoUsage > 0 {
		say("%d of %d replies do not say how many tokens the server counted: lengths are this client's counts",
			s.NoUsage, s.Replies)
	}
	if s.Chunks > 0 {
		if share := float64(s.Counted)/float64(s.Chunks) - 1; math.Abs(share) > chunkShare {
			say("a chunk of a reply has %.2f tokens on average, not one: times between tokens are means over chunks",
				share+1)
		}
	}
	if s.Failed > 0 {
		say("%d of %d requests failed", s.Failed, s.Requests)
	}
	return all
}

// drifted compares what should be equal: each value with the first.
func drifted(what string, values []float64) (doubt string, err error) {
	if len(values) < 2 || values[0] <= 0 {
		return "", nil
	}
	worst := 0.0
	for _, v := range values[1:] {
		if d := v/values[0] - 1; math.Abs(d) > math.Abs(worst) {
			worst = d
		}
	}
	text := fmt.Sprintf("%s changed by %+.0f %% from one time to the next", what, 100*worst)
	switch {
	case math.Abs(worst) > driftRefuse:
		return "", errors.New(text + ": other traffic, or a server that is not steady; calibrate when it is")
	case math.Abs(worst) > driftNoted:
		return text, nil
	}
	return "", nil
}

// steps are the means of what should be equal in a probe: of its bursts the time to
// the first token.
func (p Probe) steps(l *fit.Load) []float64 {
	if p.Burst == 0 || len(l.Seen) != p.Requests {
		return nil
	}
	var all []float64
	for i := 0; i < len(l.Seen); i += p.Burst {
		var x []float64
		for _, t := range l.Seen[i : i+p.Burst] {
			x = append(x, float64(t.First))
		}
		all = append(all, average(x))
	}
	return all
}

// shortGap is the mean time per token of the short requests of an idle probe, ns; 0
// where its Records are gone.
func shortGap(l *fit.Load) float64 {
	if l == nil {
		return 0
	}
	limit := l.Requests[0].ISL
	for _, r := range l.Requests {
		limit = min(limit, r.ISL)
	}
	var x []float64
	for i, t := range l.Seen {
		if n := l.Requests[i].OSL; n > 1 && l.Requests[i].ISL <= 2*limit {
			x = append(x, t.Gap(n))
		}
	}
	return average(x)
}
