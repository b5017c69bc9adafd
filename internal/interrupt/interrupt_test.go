package interrupt

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestSignalsOfOneSecondAreOneInterrupt(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []time.Duration // after the first
		want []string
	}{
		{"one", nil, []string{"first"}},
		{"timeout(1)", []time.Duration{150 * time.Microsecond}, []string{"first"}},
		{"many", []time.Duration{time.Millisecond, 500 * time.Millisecond, time.Second}, []string{"first"}},
		{"a second one", []time.Duration{time.Second + 1}, []string{"first", "again"}},
		{"timeout(1), then impatience", []time.Duration{150 * time.Microsecond, 3 * time.Second},
			[]string{"first", "again"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals, done := make(chan os.Signal), make(chan struct{})
				var got []string
				say := func(what string) func() { return func() { got = append(got, what) } }
				go listen(signals, done, say("first"), say("again"))
				began := time.Now()
				signals <- syscall.SIGTERM
				for _, at := range c.at {
					time.Sleep(time.Until(began.Add(at)))
					signals <- syscall.SIGTERM
				}
				synctest.Wait()
				close(done)
				if !slices.Equal(got, c.want) {
					t.Errorf("called %v, not %v", got, c.want)
				}
			})
		})
	}
}
