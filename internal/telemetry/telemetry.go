// Package telemetry reads what servers, GPUs and hosts say of themselves: pages of
// metrics (Prometheus's text) and nvidia-smi, under names that all of them share.
//
// A [Source] is scraped for a [Snapshot]; what an engine calls a thing is data
// (engines.go, devices.go). A [Set] scrapes its sources before and after a load, and a
// [Span] says by how much their counters moved. A [Sampler] reads sources at an
// interval on the run's clock, writes what it read as lines, and sums it up for the
// measured part. Of pages only what has a common name is kept; the package fetches
// nothing itself, and no figure of a request depends on it.
//
// No source can disturb a load: its time, its size and the number of its samples are
// bounded, and one that is absent, slow, unreadable or was restarted is a note and
// never an error.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bounds of a scrape.
const (
	// Within is how long a source may take.
	Within = 2 * time.Second
	// MostBytes is how much of a page is read; what is longer is no page of metrics.
	MostBytes = 8 << 20
	// MostSamples is how many samples of a page are taken, of those that are known.
	MostSamples = 20_000
)

// Source is a page of metrics.
type Source struct {
	// Name is its address as people read it.
	Name string
	// Paths are where the page may be, the likeliest first.
	Paths []string
	// Fetch gets at most so many bytes of a path.
	Fetch func(ctx context.Context, path string, most int64) ([]byte, error)
	// GPUs chooses those that are read, where it tells of some; nil reads all.
	GPUs GPUs

	cache *pageCache // of a source that is read often
}

// Sample is one series of a page, in base units.
type Sample struct {
	Engine   string
	Quantity Quantity
	Series   string // its name and labels, the same in every scrape
	Value    float64
	// Of is the part of the source that it is about: a GPU; "" for all of it. Device is
	// that GPU's own id, the same in all sources; "" where it is not said.
	Of, Device string
	// Pod is the Kubernetes pod that has the GPU now; "" where it is not said.
	Pod string
	// Part is which series of a histogram it is, of which Bound is a bucket's upper end.
	Part  Part
	Bound float64
}

// Part tells the series of a histogram apart.
type Part string

// Parts of a histogram. Buckets count all that is not above their bound.
const (
	Bucket Part = "bucket"
	Sum    Part = "sum"
	Count  Part = "count"
)

// Snapshot is what a source said at one time.
type Snapshot struct {
	Samples []Sample
	// CPU is the processor time of reading the page, without fetching it; 0 where
	// the system does not tell.
	CPU time.Duration
}

// Has says whether an engine is among those that a page is of.
func (s Snapshot) Has(engine string) bool {
	for _, x := range s.Samples {
		if x.Engine == engine {
			return true
		}
	}
	return false
}

var (
	errUnknown = errors.New("it has no metrics of a known engine")
	errOthers  = errors.New("none of its GPUs is one of the engine's")
)

// Often is the source for reading it again and again: what its lines mean is
// remembered, by its copies too. It is to be read by one goroutine at a time.
func (s Source) Often() Source {
	if s.cache == nil {
		s.cache = &pageCache{}
	}
	return s
}

// Scrape reads the source once, at the first of its paths that has metrics of a
// known engine. The error says why there are none.
func (s Source) Scrape(ctx context.Context) (Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	var first error
	for _, path := range s.Paths {
		snap, err := s.scrape(ctx, path)
		if err == nil {
			return snap, nil
		}
		if first == nil || errors.Is(first, errUnknown) && !errors.Is(err, errUnknown) && ctx.Err() == nil {
			first = err
		}
	}
	return Snapshot{}, first
}

func (s Source) scrape(ctx context.Context, path string) (Snapshot, error) {
	page, err := s.Fetch(ctx, path, MostBytes+1)
	switch {
	case err != nil && ctx.Err() != nil:
		return Snapshot{}, fmt.Errorf("no answer within %v", Within)
	case err != nil:
		return Snapshot{}, err
	case len(page) > MostBytes:
		return Snapshot{}, fmt.Errorf("its page of metrics is larger than %d MiB", MostBytes>>20)
	}
	var samples []Sample
	cpu := threadTime(func() { samples, err = s.cache.parse(page) })
	switch {
	case err != nil:
	case len(samples) == 0:
		err = errUnknown
	default:
		if samples = s.GPUs.of(samples); len(samples) == 0 {
			err = errOthers
		}
	}
	return Snapshot{Samples: samples, CPU: cpu}, err
}
