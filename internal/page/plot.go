package page

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"strconv"

	"headway/report/picture"
)

// plot is a picture twice: its values, for whoever can run the page's script, and
// drawn.
type plot struct {
	ID string `json:"id"`
	picture.Data
	// Drawn is an SVG inside of a URL: nothing in it can be a script of the page.
	Drawn template.URL `json:"-"`
	// Still says that it is only drawn.
	Still bool `json:"-"`
}

// pictures are those of the content, then those of its runs.
func (c Content) pictures() []picture.Picture {
	return append(c.Pictures[:len(c.Pictures):len(c.Pictures)], picture.OfRuns(c.Runs)...)
}

func plotsOf(pictures []picture.Picture) ([]plot, error) {
	plots := make([]plot, 0, len(pictures))
	for i, p := range pictures {
		var svg bytes.Buffer
		if err := p.WritePlainSVG(&svg); err != nil {
			return nil, fmt.Errorf("drawing %s: %w", p.Name, err)
		}
		plots = append(plots, plot{"plot-" + strconv.Itoa(i+1), p.Data(), imageURL(svg.Bytes()), p.Still()})
	}
	return plots, nil
}

// live are the plots whose values the page's script draws.
func live(all []plot) []plot {
	some := []plot{}
	for _, p := range all {
		if !p.Still {
			some = append(some, p)
		}
	}
	return some
}

// imageURL is an SVG for the src of an img, where browsers run no script of it and
// load nothing for it.
func imageURL(svg []byte) template.URL {
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg))
}
