package study

import (
	"headway/internal/settings"
	"headway/report"
)

// settings are what two calls must have in common for one to go on with the
// other's levels.
func (b Bench) settings(t *Trial) (settings.Settings, error) {
	s, err := b.Asked(report.Redactor{Redactor: t.Setup.Client.Secrets()}, true)
	if err != nil {
		return nil, err
	}
	Speaking(s, &b.Options.Endpoint, t.Setup.Client, t.Setup.Tokens, t.Setup.Metrics.Tokens.String())
	switch e := t.Endpoint; {
	case e.Simulated: // its port is another each time
	case e.Forward != "":
		s["port-forward"] = e.Forward
	default:
		s["endpoint-url"] = t.Setup.Header.URL
	}
	return s, nil
}
