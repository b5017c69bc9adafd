package terminal

// Panel is a state in words, for a display that is no terminal: the same figures in
// the same writing.
type Panel struct {
	Title, Phase string
	// Share is how much of the phase is done, 0 to 1; Known is false where nothing
	// says how long the phase is.
	Share float64
	Known bool
	// Progress says the share and the times.
	Progress string
	Cells    []Cell
	// Note is what is unusual, Done has a line for each finished level.
	Note string
	Done []string
}

// Cell is a figure under its label. Bad is one that should not be, such as a request
// that failed.
type Cell struct {
	Label, Text string
	Bad         bool
}

// PanelOf are the words of a state.
func PanelOf(s State) Panel {
	share, known := s.fraction()
	progress := clock(s.Elapsed) + " elapsed · " + remaining(s)
	if known {
		progress = percent(share) + " · " + progress
	}
	plain := paint(false)
	p := Panel{Title: clean(s.Title), Phase: clean(s.Phase), Share: share, Known: known, Progress: progress,
		Note: clean(s.Note), Cells: []Cell{
			{Label: "Requests", Text: plain.requests(s), Bad: s.failed() > 0 || s.Snapshot.Dropped > 0},
			{Label: "In flight", Text: inFlight(s)},
			{Label: "Rates", Text: rates(s)},
			{Label: "TTFT", Text: quantiles(s.Live.TTFT50, s.Live.TTFT99)},
			{Label: "ITL", Text: quantiles(s.Live.ITL50, s.Live.ITL99)},
		}}
	for _, line := range s.Done {
		p.Done = append(p.Done, clean(line))
	}
	return p
}
