package metric

// TimeClass is what a part of a request's time was spent on.
type TimeClass int

// The classes of time.
const (
	// TimeQueueing lasts from the request's last byte until an engine began with its
	// prompt: network, front end, router's queue and engine's queue.
	TimeQueueing TimeClass = iota
	// TimeOthersPrefills is by how much steps with this request in them were longer
	// for the prompts of others.
	TimeOthersPrefills
	// TimeOwnPrefill is the time of the steps with its prompt, without the prompts of
	// others in them.
	TimeOwnPrefill
	// TimeMissingCache is the share of that for tokens that an earlier turn of the same
	// conversation had sent and that were computed again.
	TimeMissingCache
	// TimePreempted lasts from the last token before the request lost its place until
	// the next one.
	TimePreempted
	// TimeTransfer is that of keys and values between a prefill and a decode worker.
	TimeTransfer
	// TimeClient is this side: sent after the planned time, connecting, read late.
	TimeClient
	// TimeDecoding is the time of its steps without anybody's prompt.
	TimeDecoding
	// TimeUnknown is what cannot be told.
	TimeUnknown

	timeClasses
)

// TimeClasses are all, in the order of tables.
func TimeClasses() []TimeClass {
	all := make([]TimeClass, timeClasses)
	for i := range all {
		all[i] = TimeClass(i)
	}
	return all
}

// String is the class's name in files.
func (c TimeClass) String() string {
	return [...]string{"queueing", "others_prefills", "own_prefill", "missing_cache", "preemption", "transfer",
		"client", "decoding", "cannot_tell"}[c]
}

// TimeSplit is time in seconds by class. Of an excess, what took less than typical is
// negative.
type TimeSplit [timeClasses]float64

// Total is the sum in seconds.
func (s TimeSplit) Total() float64 {
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum
}

// Plus is the sum with so much of another.
func (s TimeSplit) Plus(o TimeSplit, by float64) TimeSplit {
	for i := range s {
		s[i] += by * o[i]
	}
	return s
}

// RequestTime is where the time of one request went, from when it was planned (in a
// closed loop, from when its slot was free) to its last chunk with text.
type RequestTime struct {
	Index int
	// First is up to the first chunk with text, Whole up to the last.
	First, Whole TimeSplit
}

// Tail says where the time of a run's requests went.
type Tail struct {
	// Requests that were measured and answered, by their index.
	Requests []RequestTime
	// First and Whole say of the slowest what made them slower than a typical one.
	First, Whole TailExcess
	// Why says why there is no analysis, or what it lacks; "" is nothing.
	Why string
}

// TailExcess is what made the slowest requests slower than typical.
type TailExcess struct {
	// Slowest is how many those are.
	Slowest int
	// Typical is the mean over the middle fifth of all requests, Slow that over the
	// slowest, Over the one less the other, in seconds.
	Typical, Slow, Over TimeSplit
	// Each has the slowest one by one, the slowest first.
	Each []SlowRequest
}

// SlowRequest is one of the slowest requests.
type SlowRequest struct {
	Index int
	// Took is in seconds, Over its excess over the typical one, by class.
	Took float64
	Over TimeSplit
}
