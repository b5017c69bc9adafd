package twin

// Judged is a load beside its simulation.
type Judged struct {
	Load     string `json:"load"`
	Requests int    `json:"requests"`
	// Figures are the ones that plans rest on.
	Figures []Compared `json:"figures"`
	// Beyond says where the load lies outside of what the fit has seen.
	Beyond []string `json:"beyond,omitempty"`
	// Doubts are why the load is to be believed less, as it was measured.
	Doubts []string `json:"doubts,omitempty"`
}

// Compared is one figure, measured and simulated. Times are in milliseconds.
type Compared struct {
	Figure    string  `json:"figure"`
	Unit      string  `json:"unit"`
	Measured  float64 `json:"measured"`
	Simulated float64 `json:"simulated"`
	// Interval is where the figure is expected by the simulation; nil: not known.
	Interval *Interval `json:"interval,omitempty"`
}

// Holds reports whether the measured figure lies in its interval.
func (c Compared) Holds() bool {
	return c.Interval != nil && c.Interval.Low <= c.Measured && c.Measured <= c.Interval.High
}

// Error is how much the simulated figure is above the measured one, in parts of
// it.
func (c Compared) Error() float64 { return c.Simulated/c.Measured - 1 }

// Unstated names the figures of loads that were held out whose error is above what the
// twin states of them.
func (f *File) Unstated() []string {
	var all []string
	for _, l := range f.HeldOut {
		for _, c := range l.Figures {
			if c.Interval != nil && !c.Holds() {
				all = append(all, c.Figure+" of "+l.Load)
			}
		}
	}
	return all
}
