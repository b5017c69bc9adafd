package wire

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// dialObserver collects the times of a dial. The net package calls from several goroutines
// where a name has several addresses.
type dialObserver struct {
	mu sync.Mutex
	t  Dialed
}

func (o *dialObserver) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { o.note(&o.t.DNSStart, false) },
		DNSDone:      func(httptrace.DNSDoneInfo) { o.note(&o.t.DNSDone, true) },
		ConnectStart: func(string, string) { o.note(&o.t.ConnectStart, false) },
		ConnectDone: func(_, _ string, err error) {
			// Of several addresses the one that answered counts.
			if err == nil {
				o.note(&o.t.ConnectDone, false)
			}
		},
	})
}

// note writes the present into at, the first time only unless again.
func (o *dialObserver) note(at *time.Time, again bool) {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if again || at.IsZero() {
		*at = now
	}
}

func (o *dialObserver) times() *Dialed {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.t
	return &t
}
