package study

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"headway/internal/openai"
	"headway/internal/router"
)

// A router that shows how many events it took, and took none, is warned of.
func TestKVEventsWarning(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		warns               bool
	}{
		{"no metric", "up 1\n", "up 1\n", false},
		{"events come", router.EventsMetric + `{a="b c"} 0` + "\n", router.EventsMetric + `{a="b c"} 7` + "\n", false},
		{"none comes", router.EventsMetric + " 3\n", router.EventsMetric + " 3\n", true},
		{"none ever", router.EventsMetric + `_total{status="ok"} 0` + "\n",
			router.EventsMetric + `_total{status="ok"} 0` + "\n", true},
		{"another metric", router.EventsMetric + "x 0\n", router.EventsMetric + "x 0\n", false},
	} {
		var text atomic.Pointer[string]
		text.Store(&c.before)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, *text.Load())
		}))
		before := CountKVEvents(t.Context(), openai.Config{URLs: []string{s.URL + "/v1"}})
		text.Store(&c.after)
		got := before.Warning(CountKVEvents(t.Context(), openai.Config{URLs: []string{s.URL}}))
		s.Close()
		if (got != nil) != c.warns {
			t.Errorf("%s: warning %v", c.name, got)
		}
	}
}
