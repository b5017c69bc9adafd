package cli

import (
	"cmp"
	"context"
	"time"

	"headway/internal/export"
	"headway/internal/options"
	"headway/internal/study"
)

// Outside is who follows the measurements of a call beside the terminal.
type Outside struct {
	// Web is the page of --web; nil has none.
	Web *options.Web
	// Exports are those who are told; nil are none. A request is late when it starts
	// later than planned by more than Late; 0 is 10 ms.
	Exports *options.Exports
	Late    time.Duration
	// Dir is the folder of the results; Quiet says only what fails.
	Dir   string
	Quiet bool
	// SentDir is the folder of what --upload-url sends, and SentParts what of it; by
	// default all of Dir.
	SentDir   string
	SentParts []string
}

// others are those whom the options of the call tell of its measurements.
type others struct {
	exports *export.Exports // nil tells nobody
	dir     string
	parts   []string
}

// Begin is Claim of the folder of a call's results, and Open.
func (a App) Begin(o Outside) (release func(), err error) {
	release, err = a.Claim(o.Dir)
	if err == nil {
		err = a.Open(o)
	}
	return release, err
}

// Open shows and tells others of what the call measures, until the verb has ended.
func (a App) Open(o Outside) error {
	if err := a.showIn(o.Web, o.Dir, o.Quiet); err != nil || o.Exports == nil || !o.Exports.Said() || a.others == nil {
		return err
	}
	e, err := export.Open(o.Exports, a.Caller, o.Late, a.Note)
	*a.others = others{exports: e, dir: cmp.Or(o.SentDir, o.Dir), parts: o.SentParts}
	return err
}

// Others are those who are told of every measurement of the call; none before Open.
func (a App) Others() study.Others {
	if a.others == nil {
		return study.Others{}
	}
	return a.others.exports.Others()
}

// end tells them the rest, and sends the results, when the verb has ended with err.
func (o *others) end(ctx context.Context, err error) {
	if o == nil {
		return
	}
	o.exports.Close()
	o.exports.After(ctx, o.dir, o.parts, err)
}
