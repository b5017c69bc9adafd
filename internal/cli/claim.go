package cli

import "headway/report"

// Claim takes a result folder for this process. Whoever writes results calls it
// first; release may be called when the error is not nil, too.
func (a App) Claim(dir string) (release func(), err error) {
	free, err := report.Claim(dir, report.NewRedactor().Command("headway", a.Args[1:]))
	if err != nil {
		return func() {}, err
	}
	return func() {
		if err := free(); err != nil {
			a.Note("warning: giving %s free: %v", dir, err)
		}
	}, nil
}
