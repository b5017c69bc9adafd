package sla

import (
	"fmt"

	"headway/internal/deploy"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/internal/twin"
	"headway/workload"
)

// fit reads the twin of the options, which becomes a candidate of a space that has no
// fault.
func (q *Asked) fit(s *profile.Space, bad *fault.List) {
	if q.Twin == "" {
		return
	}
	f, err := twin.Read(q.Twin)
	if err != nil {
		bad.Add("%s: %w", fault.Field("twin"), err)
	}
	m, err := model.ParseMapping(q.TwinMapping)
	if err != nil {
		bad.Add("%s: %w", fault.Field("twin-mapping"), err)
	}
	if len(*bad) > 0 {
		return
	}
	q.fitted, err = deploy.NewFitted(f, m, q.Backend,
		profile.Limits{Sequences: q.TwinSeqs, Tokens: q.TwinTokens, KVTokens: q.MaxKV}, s)
	bad.Join(err)
}

// withTwin has a search not go on with another twin, whatever its file is called.
func (q Asked) withTwin(set settings.Settings) error {
	if q.fitted == nil {
		return nil
	}
	text, err := q.fitted.File.JSON()
	set["the twin's content"] = fmt.Sprintf("%x", uint64(workload.Seed(0).Named(string(text))))
	return err
}

// announceTwin tells what is taken for granted of a twin.
func (s *Search) announceTwin() {
	f := s.Fitted
	if f == nil {
		return
	}
	s.Tell("%s", s.text("note: %s candidates are simulated by the twin of a %s server, with %d sequences and %d "+
		"tokens a step and %d tokens of KV cache, all others by the roofline; that the server served %s as %s on %s "+
		"is taken from %s, %s and %s", f.Mapping, f.File.Engine.Type, f.Sequences, f.Tokens, f.KVTokens,
		s.Served.Name, f.Mapping, s.space().GPU.Name, fault.Field("model"), fault.Field("twin-mapping"),
		fault.Field("gpu")))
	if f.Unsized {
		s.Tell("%s", s.text("note: the KV cache in the twin's file is more than %s holds beside the weights, so it is "+
			"what the memory leaves; %s gives the server's", f.Mapping, fault.Field("max-kv-tokens")))
	}
	if c := f.File.Calibration; c != nil && c.Model != "" && c.Model != s.Served.Name {
		s.Warn("%s", s.text("warning: %s was calibrated on a server of %q, and %s is %q: unless these are one model, "+
			"its figures are of another one", fault.Field("twin"), c.Model, fault.Field("model"), s.Served.Name))
	}
}
