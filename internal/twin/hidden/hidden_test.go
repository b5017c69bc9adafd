package hidden

import (
	"flag"
	"math"
	"testing"
	"time"
)

// servers and first are what make twin-hidden counts; a test alone tries one server.
var (
	servers = flag.Int("servers", 1, "hidden servers that are fitted")
	first   = flag.Uint64("first", 102, "key of the first of them")
	bound   = flag.Duration("for", 0, "time after which no server is begun; 0 is none")
)

// A twin of a server with unknown numbers foretells other loads.
func TestHidden(t *testing.T) {
	var y Tally
	began := time.Now()
	for key := *first; key < *first+uint64(*servers); key++ {
		if *bound > 0 && time.Since(began) > *bound {
			break
		}
		trial, err := Try(t.Context(), key)
		if err != nil {
			t.Error(err) // the others count all the same
			continue
		}
		y.Add(trial)
		t.Logf("%4d %-6s weights %5.1f ms, fitted %5.1f; compute %5.1f µs, fitted %5.1f", key, trial.Server.Engine.Type,
			trial.Server.Model.Weights, trial.Twin.Model.Weights, trial.Server.Model.Compute,
			trial.Twin.Model.Compute)
	}
	t.Logf("\n%s", &y)
	for name, n := range y.figures {
		if middle := at(n.errors, 50); middle > 0.15 {
			t.Errorf("%s: half of the errors are above 15 %%: %.0f %%", name, 100*middle)
		}
	}
}

// Figures of one server hold or fail together, so that many of few servers tell less
// than as many of many.
func TestCoverageCountsServers(t *testing.T) {
	var apart, together Tally
	for i := range 40 {
		apart.all, apart.held = append(apart.all, 10), append(apart.held, 9)
		together.all, together.held = append(together.all, 10), append(together.held, 10)
		if i%10 == 0 {
			together.held[i] = 0
		}
	}
	share, low, high := apart.Coverage()
	// scipy.stats.beta.ppf([0.025, 0.975], [360, 361], [41, 40])
	if math.Abs(share-0.9) > 1e-9 || math.Abs(low-0.86632) > 1e-4 || math.Abs(high-0.92759) > 1e-4 {
		t.Errorf("apart: %v, %v to %v", share, low, high)
	}
	share, low, high = together.Coverage()
	if math.Abs(share-0.9) > 1e-9 || high-low < 0.15 {
		t.Errorf("together: %v, %v to %v", share, low, high)
	}
}
