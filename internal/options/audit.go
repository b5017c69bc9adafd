package options

import (
	"time"

	"headway/internal/fault"
)

// Audit says what the client itself is held against.
type Audit struct {
	MaxLag *Milliseconds `name:"max-lag" apart:"records" placeholder:"TIME" help:"Largest delay of this client's own (ms), at the 99th percentile, with which a measurement is valid; exit code 4 when it is not. Default: 1 ms, or 5% of the latency (stamps) or of the mean time between sends (schedule) where that is more."`
}

// Faults adds those of the options.
func (f *Audit) Faults(bad *fault.List) {
	if f.MaxLag != nil && *f.MaxLag <= 0 {
		bad.Add("%s: must be a time above zero, such as 1ms; to go without a verdict, do not look at it",
			fault.Field("max-lag"))
	}
}

// Lag is the bound that the user has set, 0 where none.
func (f *Audit) Lag() time.Duration {
	if f.MaxLag == nil {
		return 0
	}
	return time.Duration(*f.MaxLag)
}

// CalibrationVariable is the environment variable, without its prefix, that
// says where the calibration is; it sets no option.
const CalibrationVariable = "calibration"

// TokenizerVariable is the one that names the folder of what is kept of tokenizers.
const TokenizerVariable = "tokenizer-cache"
