package telemetry

// Quantity is a common name of what servers, GPUs and hosts tell.
type Quantity string

// The quantities of servers.
const (
	Running         Quantity = "running"          // requests in the batch
	Waiting         Quantity = "waiting"          // requests that wait for it
	KVUsage         Quantity = "kv_usage"         // share of the KV cache in use, 0 to 1
	Retracted       Quantity = "retracted"        // requests that have just given way
	AcceptRate      Quantity = "spec_accept_rate" // share of drafted tokens that were accepted, 0 to 1
	Preemptions     Quantity = "preemptions"      // counter: requests that had to give way
	PrefixHits      Quantity = "prefix_hits"      // counter: what of the queries was cached
	PrefixQueries   Quantity = "prefix_queries"   // counter: prompt looked up, in the unit of the hits
	PrefixReports   Quantity = "prefix_reports"   // counter: requests whose hits are known
	PromptTokens    Quantity = "prompt_tokens"    // counter
	GeneratedTokens Quantity = "generated_tokens" // counter
	Requests        Quantity = "requests"         // counter: requests that ended well
	Drafted         Quantity = "spec_drafted"     // counter: tokens that speculation proposed
	Accepted        Quantity = "spec_accepted"    // counter: those of them that were accepted
	QueueTime       Quantity = "queue_time"       // histogram, seconds
	PrefillTime     Quantity = "prefill_time"     // histogram, seconds
	ServerTTFT      Quantity = "server_ttft"      // histogram, seconds
	ServerITL       Quantity = "server_itl"       // histogram, seconds
	ServerLatency   Quantity = "server_latency"   // histogram, seconds
)

// The quantities of GPUs.
const (
	Utilization      Quantity = "utilization"       // share of the time in which a kernel ran, 0 to 1
	TensorActive     Quantity = "tensor_active"     // share of cycles of the tensor cores, 0 to 1
	MemoryBusy       Quantity = "memory_busy"       // share of the time in which memory was used, 0 to 1
	MemoryUsed       Quantity = "memory_used"       // bytes
	Power            Quantity = "power"             // watts
	SMClock          Quantity = "sm_clock"          // hertz
	MemoryClock      Quantity = "memory_clock"      // hertz
	Temperature      Quantity = "temperature"       // degrees Celsius
	ThrottledPower   Quantity = "throttled_power"   // 1 while clocks are held down for power
	ThrottledThermal Quantity = "throttled_thermal" // 1 while clocks are held down for heat or by the board
	Energy           Quantity = "energy"            // counter: joules
	NVLinkSent       Quantity = "nvlink_sent"       // bytes/s
	NVLinkReceived   Quantity = "nvlink_received"   // bytes/s
	PCIeSent         Quantity = "pcie_sent"         // bytes/s
	PCIeReceived     Quantity = "pcie_received"     // bytes/s
)

// The quantities of hosts.
const (
	CPUTime         Quantity = "cpu_time"         // counter: seconds of all processors
	CPUIdle         Quantity = "cpu_idle"         // counter: those of them without work
	MemoryAvailable Quantity = "memory_available" // bytes
	MemoryTotal     Quantity = "memory_total"     // bytes
	NetworkReceived Quantity = "network_received" // counter: bytes, without loopback
	NetworkSent     Quantity = "network_sent"     // counter: bytes, without loopback
)

// form is how a quantity is summed up.
type form int

const (
	gauge form = iota
	counter
	histogram
)

// trait is what has to be known of a quantity; the zero value is a gauge whose series
// add up.
type trait struct {
	form form
	mean bool // series are averaged, as shares are
	// bound is the value above which its time is counted, where watched.
	bound   float64
	watched bool
}

// traits are those of quantities that are not the zero value.
var traits = map[Quantity]trait{
	Waiting: {watched: true}, KVUsage: {mean: true, bound: 0.9, watched: true}, Retracted: {watched: true},
	AcceptRate:  {mean: true},
	Preemptions: {form: counter}, PrefixHits: {form: counter}, PrefixQueries: {form: counter},
	PrefixReports: {form: counter}, PromptTokens: {form: counter}, GeneratedTokens: {form: counter},
	Requests: {form: counter}, Drafted: {form: counter}, Accepted: {form: counter},
	QueueTime: {form: histogram}, PrefillTime: {form: histogram}, ServerTTFT: {form: histogram},
	ServerITL: {form: histogram}, ServerLatency: {form: histogram},
	Utilization: {mean: true, bound: 0.95, watched: true}, TensorActive: {mean: true}, MemoryBusy: {mean: true},
	SMClock: {mean: true}, MemoryClock: {mean: true}, Temperature: {mean: true, bound: 85, watched: true},
	ThrottledPower: {mean: true, watched: true}, ThrottledThermal: {mean: true, watched: true},
	Energy: {form: counter}, CPUTime: {form: counter}, CPUIdle: {form: counter},
	NetworkReceived: {form: counter}, NetworkSent: {form: counter},
}

// rises says that a quantity is a counter.
func (q Quantity) rises() bool { return traits[q].form == counter }
