package telemetry

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
)

// What ends, hangs or is refused in the middle has missed all samples from then on, and
// is named with its cause; what tells until the end is not.
func TestSourcesThatEndInTheMiddle(t *testing.T) {
	ends := func(context.Context) error { return errors.New("exit status 1") }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for name, tt := range map[string]struct {
		tells  int // how often
		then   func(context.Context) error
		missed int
		why    string
	}{
		"ends":  {2, ends, 2 * 7, "exit status 1"},
		"hangs": {2, hangs, 2 * 7, "it said nothing in the last 7.5 s"},
		"tells": {1000, hangs, 0, ""},
		"never": {0, ends, 1, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			x := Feed{Name: "smi", Run: func(ctx context.Context, every time.Duration, emit func([]Sample)) error {
				for range tt.tells {
					for _, gpu := range []string{"0", "1"} {
						emit([]Sample{{Engine: NVIDIASMI, Quantity: Power, Series: "power", Of: gpu, Value: 100}})
					}
					select {
					case <-ctx.Done():
						return nil
					case <-time.After(every):
					}
				}
				return tt.then(ctx)
			}}
			s := Start(t.Context(), SamplerOptions{Clock: record.NewClock(), Interval: time.Second}, nil, []Feed{x})
			time.Sleep(8500 * time.Millisecond)
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if got := s.sources[0].missed; got != tt.missed {
				t.Errorf("%s: missed %d", name, got)
			}
			if why := s.Failing()["smi"]; (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("%s: failing: %q", name, why)
			}
		})
	}
}
