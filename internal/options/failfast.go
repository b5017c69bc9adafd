package options

// FailFast says what is done about an endpoint that refuses everything.
type FailFast struct {
	Wanted *bool `name:"fail-fast" apart:"" negatable:"" help:"End a measurement when the endpoint refuses one request after the other for a reason that does not pass by itself: 401, 403, 404, an unknown model. Default: yes, but not under the name aiperf."`
}

// On says whether that is done.
func (f *FailFast) On(a Caller) bool {
	if f.Wanted != nil {
		return *f.Wanted
	}
	return !a.AsAiperf
}
