package cluster

import (
	"time"

	"headway/internal/engine"
	"headway/record"
)

// links are those between prefill and decode workers: one into the network and one out
// of it for so many workers of a kind.
type links struct{ in, out []*engine.Link }

// way is the link of a worker among those of a kind, or nil where links are nobody's.
func (links) way(c Config, of *[]*engine.Link, worker int) *engine.Link {
	if c.TransferSharers == 0 {
		return nil
	}
	i := worker / c.TransferSharers
	if i == len(*of) {
		*of = append(*of, &engine.Link{})
	}
	return (*of)[i]
}

// transfers is what became of keys and values between workers; nil where nothing
// travels.
func (f *fleet) transfers() *record.ClusterTransfers {
	if f.back == nil {
		return nil
	}
	t := &record.ClusterTransfers{Mean: record.Unknown(), MeanWait: record.Unknown()}
	var took, waited time.Duration
	for _, m := range f.back.members {
		s := m.eng.Stats()
		t.Transfers += s.Transfers
		t.Tokens += s.TransferredTokens
		took += s.TransferTime
		waited += s.TransferWait
	}
	if t.Transfers > 0 {
		t.Mean = record.Number(took.Seconds() / float64(t.Transfers))
		t.MeanWait = record.Number(waited.Seconds() / float64(t.Transfers))
	}
	for _, l := range append(f.links.in[:len(f.links.in):len(f.links.in)], f.links.out...) {
		t.Busiest = max(t.Busiest, l.Busy().Seconds())
	}
	t.Links = len(f.links.in) + len(f.links.out)
	return t
}

// speculation is what became of drafts; nil where nobody drafts.
func (f *fleet) speculation() *record.ClusterSpeculation {
	k := f.cfg.Engine.Speculation.Tokens
	if k == 0 {
		return nil
	}
	s := &record.ClusterSpeculation{Accepted: record.Unknown(), TokensPerStep: record.Unknown()}
	at := make([]int64, k)
	var accepted int64
	for _, m := range f.members {
		e := m.eng.Stats()
		s.Drafts += e.Drafts
		s.DraftTokens += e.DraftTokens
		accepted += e.AcceptedTokens
		for i := range at {
			at[i] += e.AcceptedAt[i]
		}
	}
	s.AcceptedTokens = accepted
	if s.Drafts == 0 {
		return s
	}
	s.Accepted = record.Number(float64(accepted) / float64(s.DraftTokens))
	s.TokensPerStep = 1 + record.Number(float64(accepted)/float64(s.Drafts))
	for _, n := range at {
		s.AcceptedAt = append(s.AcceptedAt, float64(n)/float64(s.Drafts))
	}
	return s
}

// adapters is how often adapters were loaded; nil without slots for them.
func (f *fleet) adapters() *record.ClusterAdapters {
	if f.cfg.Engine.MaxLoras == 0 {
		return nil
	}
	a := &record.ClusterAdapters{Slots: f.cfg.Engine.MaxLoras}
	for _, m := range f.members {
		s := m.eng.Stats()
		a.Loads += s.AdapterLoads
		a.LoadTime += s.AdapterLoadTime.Seconds()
	}
	return a
}
