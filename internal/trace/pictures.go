package trace

import (
	"headway/report/picture"
	"headway/workload/synth"
)

// WritePictures draws lengths, arrivals and the reuse of prefixes over the size of a
// cache into a folder, as PNG and SVG, as far as the trace has them. It returns how
// many pictures there are.
func WritePictures(dir, name string, a *synth.Analysis) (int, error) {
	pictures := picture.OfTrace(a, name)
	for _, p := range pictures {
		if _, err := p.Write(dir); err != nil {
			return 0, err
		}
	}
	return len(pictures), nil
}
