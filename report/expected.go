package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"headway/record"
)

// Expected is where a figure of a server is expected, by the calibration of a
// simulation.
type Expected struct {
	Low, High float64
	// Level is the share of cases in which it holds, 0 to 1; 0 is a range without one.
	Level float64
	// Why says why there is no interval; Low, High and Level are 0 then.
	Why string
}

// no says that there is no interval.
func (x *Expected) no() bool { return x.Why != "" }

// text is the interval, with the mark of one without a level.
func (x *Expected) text(number func(float64) string) string {
	if x.no() {
		return "no interval"
	}
	s := number(x.Low) + "–" + number(x.High)
	if x.Level == 0 {
		return "≈ " + s
	}
	return s
}

// around is an interval of that half width in logarithms.
func around(value, half, level float64) *Expected {
	return &Expected{Low: value * math.Exp(-half), High: value * math.Exp(half), Level: level}
}

// halfLog is the half width of an interval in logarithms, 0 where there is none.
func halfLog(low, high float64) float64 {
	if !(low > 0) || !finite(high) {
		return 0
	}
	return math.Log(high/low) / 2
}

// normal90 bounds 90 % of a normal distribution on both sides.
const normal90 = 1.6449

// notForetold is why a figure of a run has no interval that has no entry.
const notForetold = "it is not among the figures that the calibration is of, or was not foretold"

// foretold is what the first run says of a figure; nil where nothing was calibrated.
func (a Arm) foretold(tag, of string) *record.ForetoldFigure {
	switch {
	case a.Report == nil || a.Report.Run.Cluster == nil:
		return nil
	case a.Report.Run.Cluster.Foretold == nil:
		if !slices.ContainsFunc(a.Report.Run.Warnings, onTwin) {
			return nil
		}
		return &record.ForetoldFigure{Metric: tag, Stat: of, Why: "the run was ended, or made by a headway that did " +
			"not foretell it: make it again (--overwrite)"}
	}
	for _, f := range a.Report.Run.Cluster.Foretold.Figures {
		if f.Metric == tag && (f.Stat == of || f.Stat == "" && of == "avg") {
			return &f
		}
	}
	return &record.ForetoldFigure{Metric: tag, Stat: of, Why: notForetold}
}

// onTwin says of a warning that it is the one of a simulation with a twin.
func onTwin(w record.Warning) bool { return w.Code == "twin_basis" }

// Expected is where a figure of the server is expected: as the first run foretells it,
// around the mean over all runs and wider by how sure that is. It is nil where nothing
// was calibrated.
func (a Arm) Expected(tag, of string) *Expected {
	f := a.foretold(tag, of)
	if f == nil {
		return nil
	}
	v := a.Figure(tag, of)
	switch {
	case f.Why != "":
		return &Expected{Why: f.Why}
	case !(v.Value > 0) || !finite(v.Value) || v.AtLeast:
		return &Expected{Why: "the simulated figure is not known"}
	}
	half := halfLog(f.Low, f.High)
	if len(a.Repeats) > 0 {
		half = math.Hypot(half, halfLog(v.Low, v.High))
	}
	return around(v.Value, half, f.Level)
}

// expect says where the ratio of a figure of one arm over that of another is expected on
// the server. Both were simulated with the same parameters in turn, so what is not known
// of these moves the ratio less than either figure. What the model itself has wrong may
// be otherwise in each. It is nil where nothing was calibrated.
func (e *Effect) expect(over, under Arm, tag, of string) {
	a, b := over.foretold(tag, of), under.foretold(tag, of)
	switch {
	case a == nil && b == nil || math.IsNaN(e.Value):
		return
	case a == nil || b == nil:
		e.Expected = &Expected{Why: "only one of both was foretold"}
		return
	case a.Why != "" || b.Why != "":
		why := a.Why
		if why == "" {
			why = b.Why
		}
		e.Expected = &Expected{Why: why}
		return
	}
	var logs []float64
	for i := range min(len(a.Drawn), len(b.Drawn)) {
		if a.Drawn[i] > 0 && b.Drawn[i] > 0 {
			logs = append(logs, math.Log(a.Drawn[i]/b.Drawn[i]))
		}
	}
	if len(logs) < 2 {
		e.Expected = &Expected{Why: "the run has no figures of other parameters beside it"}
		return
	}
	drawn := max(a.Widen, b.Widen) * normal90 * stat.StdDev(logs, nil)
	half := math.Hypot(math.Hypot(max(a.Apart, b.Apart), drawn), halfLog(e.Low, e.High))
	e.Expected = around(e.Value, half, min(a.Level, b.Level))
}

// Span is the interval that is shown of an effect: on the server where that is known,
// else of the runs; NaN is none.
func (e Effect) Span() (low, high float64) {
	if x := e.Expected; x != nil && !x.no() {
		return x.Low, x.High
	}
	return e.Low, e.High
}

// byTwin says that an effect's span is one of the server.
func (e Effect) byTwin() bool { return e.Expected != nil && !e.Expected.no() }

// expectedFigures are those that a comparison shows beside what is simulated.
var expectedFigures = [...]struct{ tag, stat, title string }{
	{"time_to_first_token", "avg", "TTFT ms\navg"}, {"time_to_first_token", "p50", "TTFT ms\np50"},
	{"time_to_first_token", "p99", "TTFT ms\np99"}, {"inter_token_latency", "avg", "ITL ms\navg"},
	{"inter_token_latency", "p50", "ITL ms\np50"}, {"inter_token_latency", "p99", "ITL ms\np99"},
	{"request_latency", "avg", "Latency ms\navg"}, {"output_token_throughput", "avg", "Output\ntok/s"},
	{"request_throughput", "avg", "req/s"},
}

// Foretold says that an arm has been simulated with a calibration.
func (c *Comparison) Foretold() bool {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if a.foretold("", "") != nil {
				return true
			}
		}
	}
	return false
}

// expectedText is a table of where the figures of a server are expected on each arm,
// with what it rests on.
func (c *Comparison) expectedText(d *Document) {
	if !c.Foretold() {
		return
	}
	first := "Case"
	if c.XLabel != "" {
		first = c.XLabel
	}
	t := table{title: "expected on the server, by the twin", keys: 2,
		columns: []column{{title: first, style: styleCyan}, {title: "Router", left: true}}}
	for _, f := range expectedFigures {
		t.columns = append(t.columns, column{title: f.title})
	}
	said := expectedNotes{}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			row := []string{c.caseName(k), a.Name}
			for _, f := range expectedFigures {
				row = append(row, said.cell(a, f.tag, f.stat))
			}
			t.rows = append(t.rows, row)
			said.of(c.caseName(k)+" on "+a.Name, a)
		}
	}
	d.table(t)
	said.levelText(d)
	said.write(d)
}

// expectedNotes are what is to be said below intervals, each sentence once with what it
// is of.
type expectedNotes struct {
	levels  []float64
	order   []string
	figures map[string][]string
}

func (n *expectedNotes) say(sentence, of string) {
	if n.figures == nil {
		n.figures = map[string][]string{}
	}
	if n.figures[sentence] == nil {
		n.order = append(n.order, sentence)
	}
	if !slices.Contains(n.figures[sentence], of) {
		n.figures[sentence] = append(n.figures[sentence], of)
	}
}

// cell is one interval.
func (n *expectedNotes) cell(a Arm, tag, of string) string {
	x := a.Expected(tag, of)
	if x == nil {
		x = &Expected{Why: notForetold}
	}
	if x.no() {
		n.say("no interval: "+x.Why, strings.TrimSpace(tag+" "+of))
		return "none"
	}
	if !slices.Contains(n.levels, x.Level) {
		n.levels = append(n.levels, x.Level)
	}
	return x.text(significant)
}

// of adds what is said of an arm's load.
func (n *expectedNotes) of(name string, a Arm) {
	if a.foretold("", "") == nil || a.Report.Run.Cluster.Foretold == nil {
		return
	}
	f := a.Report.Run.Cluster.Foretold
	if len(f.Beyond) > 0 {
		n.say("outside of what the twin has seen: "+strings.Join(f.Beyond, ", ")+
			": intervals are wider and extrapolate", name)
	}
	for _, doubt := range f.Doubts {
		n.say("less sure than the intervals say: "+doubt, name)
	}
}

// levelText says what the intervals of a comparison are.
func (n *expectedNotes) levelText(d *Document) {
	slices.Sort(n.levels)
	for _, l := range n.levels {
		if l == 0 {
			d.text("", "≈ is a range without a level: too few blocks calibrate it.")
			continue
		}
		d.text("", fmt.Sprintf("Intervals are of %.0f %%: the twin's parameters and residuals, seeds, and how far "+
			"runs differ. Figures that are not here have none.", 100*l))
	}
}

// write adds the sentences.
func (n *expectedNotes) write(d *Document) {
	for _, s := range n.order {
		d.line("", s+" ("+strings.Join(n.figures[s], ", ")+")")
	}
}
