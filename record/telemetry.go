package record

// Telemetry is what servers, GPUs and hosts did while the measured phase went, read
// at an interval on the run's clock. Times are seconds, amounts base units; what is
// not there is not known.
type Telemetry struct {
	// Interval is how often each source was to be read, in seconds; Seconds is the
	// measured phase.
	Interval float64            `json:"interval_s"`
	Seconds  float64            `json:"seconds"`
	Sources  []TelemetrySource  `json:"sources"`
	Subjects []TelemetrySubject `json:"subjects"`
}

// TelemetrySource is where something was read, and how well that went.
type TelemetrySource struct {
	Name string `json:"name"`
	// Samples were read; Missed were not, since the source failed, or since an earlier
	// one took too long.
	Samples int `json:"samples"`
	Missed  int `json:"missed"`
	// Late is by how much samples were later than planned, on average; Took how long
	// a source was asked. CPU is the share of a core for reading what it said.
	Late     float64 `json:"late_avg_s"`
	LateMost float64 `json:"late_max_s"`
	Took     float64 `json:"took_avg_s"`
	CPU      float64 `json:"cpu_share"`
	// LastError is why the last sample that failed did; "" when none did.
	LastError string `json:"last_error,omitempty"`
}

// TelemetrySubject is an engine, a GPU or a host.
type TelemetrySubject struct {
	Source string `json:"source"`
	Kind   string `json:"kind"` // server, gpu, host
	Engine string `json:"engine"`
	// Of is the GPU's number; "" for a server or a host.
	Of string `json:"of,omitempty"`
	// Device is that GPU's own id, by which it is the same in all sources; "" where it
	// is not known.
	Device string `json:"device,omitempty"`
	// Seconds of the measured phase are covered by samples.
	Seconds float64 `json:"seconds"`
	// Counters moved by so much in the measured phase, by their common name.
	Counters map[string]TelemetryCounter `json:"counters,omitempty"`
	Gauges   map[string]TelemetryGauge   `json:"gauges,omitempty"`
	// Histograms are of what the server observed from the sample before the measured
	// phase to the one after it.
	Histograms map[string]TelemetryHistogram `json:"histograms,omitempty"`
	// Energy is a GPU's; nil where it is not known.
	Energy *TelemetryEnergy `json:"energy,omitempty"`
}

// TelemetryCounter is by how much a counter moved, and that per second. Resets are how
// often it went back, as after a restart: what was counted before is then kept.
type TelemetryCounter struct {
	Total  float64 `json:"total"`
	Rate   float64 `json:"rate"`
	Resets int     `json:"resets,omitempty"`
}

// TelemetryGauge is a value over time: its mean, its maximum and, where there is a
// bound, for how long it was above it, in seconds.
type TelemetryGauge struct {
	Mean  float64  `json:"mean"`
	Max   float64  `json:"max"`
	Bound *float64 `json:"bound,omitempty"`
	Above float64  `json:"above_s,omitempty"`
}

// TelemetryHistogram is the distribution of a time in seconds. Quantiles lie within
// buckets and are interpolated there; one in the last bucket is not known.
type TelemetryHistogram struct {
	Count float64 `json:"count"`
	Mean  Number  `json:"mean"`
	P50   Number  `json:"p50"`
	P90   Number  `json:"p90"`
	P99   Number  `json:"p99"`
}

// How energy was found.
const (
	EnergyCounter    = "counter"    // the GPU's own counter
	EnergyIntegrated = "integrated" // power over time
)

// TelemetryEnergy is the energy of a GPU in the measured phase, in joules.
type TelemetryEnergy struct {
	Joules float64 `json:"joules"`
	By     string  `json:"by"`
	// Integrated is by power over time too, beside the counter; 0 where not known.
	Integrated float64 `json:"integrated_joules,omitempty"`
}
