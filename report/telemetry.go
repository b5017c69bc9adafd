package report

import (
	"math"
	"strings"

	"headway/record"
)

// Sizes in which tables show amounts.
const (
	gibi = 1 << 30
	mega = 1e6
)

// telemetryColumn is a column of a table of servers, GPUs or hosts.
type telemetryColumn struct {
	column
	value func(record.TelemetrySubject) float64 // NaN where not known
}

// gaugeMean is a column of a gauge's mean, in units of so much.
func gaugeMean(title string, drop int, name string, unit float64) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		g, ok := s.Gauges[name]
		return known(ok, g.Mean/unit)
	}}
}

func gaugeMax(title string, drop int, name string, unit float64) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		g, ok := s.Gauges[name]
		return known(ok, g.Max/unit)
	}}
}

func counterTotal(title string, drop int, name string) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		c, ok := s.Counters[name]
		return known(ok, c.Total)
	}}
}

func counterRate(title string, drop int, name string, unit float64) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		c, ok := s.Counters[name]
		return known(ok, c.Rate/unit)
	}}
}

// counterShare is what one counter moved by, of what another did, in percent.
func counterShare(title string, drop int, name, of string) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		part, ok := s.Counters[name]
		all, both := s.Counters[of]
		return known(ok && both && all.Total > 0, 100*part.Total/all.Total)
	}}
}

// average is a column of a histogram's mean, in milliseconds: unlike its quantiles it
// does not depend on buckets.
func average(title string, drop int, name string) telemetryColumn {
	return telemetryColumn{column{title: title, drop: drop}, func(s record.TelemetrySubject) float64 {
		h, ok := s.Histograms[name]
		return known(ok, 1000*float64(h.Mean))
	}}
}

func known(is bool, v float64) float64 {
	if !is {
		return math.NaN()
	}
	return v
}

// telemetryTables are the tables by what they are of.
var telemetryTables = []struct {
	kind, title, subject string
	columns              []telemetryColumn
}{
	{"server", "Servers", "Server", []telemetryColumn{
		gaugeMean("Running\navg", 0, "running", 1), gaugeMax("Running\nmax", 2, "running", 1),
		gaugeMean("Waiting\navg", 0, "waiting", 1), gaugeMax("Waiting\nmax", 2, "waiting", 1),
		gaugeMean("KV %\navg", 0, "kv_usage", 0.01), gaugeMax("KV %\nmax", 1, "kv_usage", 0.01),
		counterTotal("Preempted", 1, "preemptions"), counterShare("Hit\n%", 0, "prefix_hits", "prefix_queries"),
		counterShare("Accepted\n%", 3, "spec_accepted", "spec_drafted"),
		counterRate("Prompt\ntok/s", 1, "prompt_tokens", 1), counterRate("Output\ntok/s", 0, "generated_tokens", 1),
		average("Queue ms\navg", 1, "queue_time"), average("TTFT ms\navg", 0, "server_ttft"),
		average("ITL ms\navg", 0, "server_itl"),
	}},
	{"gpu", "GPUs", "GPU", []telemetryColumn{
		gaugeMean("Busy %\navg", 0, "utilization", 0.01), gaugeMean("Tensor %\navg", 3, "tensor_active", 0.01),
		gaugeMax("Memory GiB\nmax", 1, "memory_used", gibi), gaugeMean("Power W\navg", 0, "power", 1),
		gaugeMax("Power W\nmax", 2, "power", 1), gaugeMean("SM MHz\navg", 1, "sm_clock", mega),
		gaugeMax("°C\nmax", 2, "temperature", 1), gaugeMean("Capped %\nby power", 1, "throttled_power", 0.01),
		gaugeMean("Capped %\nby heat", 1, "throttled_thermal", 0.01),
		gaugeMean("NVLink out\nMB/s", 4, "nvlink_sent", mega), gaugeMean("PCIe out\nMB/s", 4, "pcie_sent", mega),
		{column{title: "Energy\nJ"}, joules},
	}},
	{"host", "Hosts", "Host", []telemetryColumn{
		{column{title: "CPU %\navg"}, cpuBusy}, {column{title: "Memory GiB\navg"}, memoryUsed},
		counterRate("In\nMB/s", 0, "network_received", mega), counterRate("Out\nMB/s", 0, "network_sent", mega),
	}},
}

func joules(s record.TelemetrySubject) float64 {
	if s.Energy == nil {
		return math.NaN()
	}
	return s.Energy.Joules
}

func cpuBusy(s record.TelemetrySubject) float64 {
	all, ok := s.Counters["cpu_time"]
	idle, both := s.Counters["cpu_idle"]
	return known(ok && both && all.Total > 0, 100*(1-idle.Total/all.Total))
}

func memoryUsed(s record.TelemetrySubject) float64 {
	all, ok := s.Gauges["memory_total"]
	free, both := s.Gauges["memory_available"]
	return known(ok && both, (all.Mean-free.Mean)/gibi)
}

// mostSubjects is how many rows a table of them has; all are in the JSON.
const mostSubjects = 64

// telemetryParts adds the tables of servers, GPUs and hosts of runs, and what they
// say of energy.
func telemetryParts(d *Document, title func(string) string, keys []column, runs []workerRun) {
	for _, kind := range telemetryTables {
		t := table{title: title(kind.title), keys: len(keys) + 1,
			columns: append(append([]column{}, keys...), column{title: kind.subject, left: true, style: styleCyan})}
		var subjects []record.TelemetrySubject
		for _, run := range runs {
			subjects = append(subjects, run.subjects(kind.kind)...)
		}
		columns := present(kind.columns, subjects)
		for _, c := range columns {
			t.columns = append(t.columns, c.column)
		}
		for _, run := range runs {
			for _, s := range run.subjects(kind.kind) {
				t.rows = append(t.rows, append(append([]string{}, run.keys...), run.report.subjectCells(s, columns)...))
			}
		}
		if len(t.rows) > 0 && len(columns) > 0 {
			d.gap()
			d.table(t)
		}
	}
	for _, run := range runs {
		for _, line := range run.report.energyLines() {
			d.text("", run.said(line))
		}
	}
}

// said is a line on one run among others.
func (run workerRun) said(line string) string {
	return strings.TrimLeft(strings.Join(run.keys, " ")+" ", " ") + line
}

func (run workerRun) subjects(kind string) (list []record.TelemetrySubject) {
	t := run.report.Run.Telemetry
	if t == nil {
		return nil
	}
	for _, s := range t.Subjects {
		if s.Kind == kind && len(list) < mostSubjects {
			list = append(list, s)
		}
	}
	return list
}

// present are the columns that any subject has a value for.
func present(all []telemetryColumn, subjects []record.TelemetrySubject) (list []telemetryColumn) {
	for _, c := range all {
		for _, s := range subjects {
			if !math.IsNaN(c.value(s)) {
				list = append(list, c)
				break
			}
		}
	}
	return list
}

func (r *Report) subjectCells(s record.TelemetrySubject, columns []telemetryColumn) []string {
	cells := []string{r.clean(subjectName(s))}
	for _, c := range columns {
		cells = append(cells, significant(c.value(s)))
	}
	return cells
}

// subjectName is what people call it.
func subjectName(s record.TelemetrySubject) string {
	switch {
	case s.Kind == "gpu" && s.Engine == "nvidia_smi":
		return s.Of
	case s.Kind == "gpu":
		return strings.TrimSpace(s.Of + " " + s.Source)
	case s.Kind == "host":
		return s.Source
	}
	if title := engineTitles[s.Engine]; title != "" {
		return title + " " + s.Source
	}
	return s.Engine + " " + s.Source
}
