// Package page makes one HTML file of results, to be read without a network and to
// be sent: the tables of documents, pictures whose values can be read off, requests
// one by one, and how to run it again.
//
// Data flows one way: reports, documents and pictures in, bytes out; the same
// results give the same bytes. Whatever a server, a file or a name says is text on
// the page and nothing else: html/template escapes it, the data of pictures is JSON
// in which no tag can begin, and the page's own policy lets no script run but the
// one whose hash it names. Without scripts every table is there, and the pictures
// stand as SVG.
package page

import (
	"bytes"
	"fmt"
	"io"

	"headway/report"
	"headway/report/picture"
)

// Limit is the most bytes that a page has. What would make it larger is left out,
// and the page says so.
const Limit = 2 << 20

// Content is what stands on a page.
type Content struct {
	// Title is the page's, What a line below it.
	Title, What string
	// Links lead to other pages, where the page is served beside them.
	Links []Link
	// Documents are the tables, in their order.
	Documents []Titled
	// Runs are what single requests and timelines are of; More are further runs, of
	// which only what the head of the page says is told, such as repeats. Command is
	// how all of them are made again.
	Runs    []picture.Run
	More    []picture.Run
	Command string
	// Profiles are results of other procedures that the page has, of which Simulated
	// rest on no real engine.
	Profiles, Simulated int
	// Pictures can be read off, but for those that are only looked at
	// ([picture.Picture.Still]).
	Pictures []picture.Picture
	// Untold says what could not be read or is not shown, a sentence each.
	Untold []string
	// Version is that of the program.
	Version string

	shown int // runs whose requests are shown
}

// Titled is a document under a heading. One that is Folded is opened by the reader.
type Titled struct {
	Title    string
	Document *report.Document
	Folded   bool
}

// Link is a page beside this one.
type Link struct{ Text, Address string }

// Write writes the page, of at most [Limit] bytes. What does not fit goes, the
// bulkiest that is told elsewhere first: folded documents, pictures that are only
// looked at, requests one by one of all runs but the first.
func (c Content) Write(w io.Writer) error {
	var b bytes.Buffer
	for thrift := range 4 {
		b.Reset()
		if err := c.lean(thrift).render(&b); err != nil {
			return fmt.Errorf("making the page: %w", err)
		}
		if b.Len() <= Limit {
			_, err := w.Write(b.Bytes())
			return err
		}
	}
	return fmt.Errorf("making the page: it has %d bytes with only what has to be on it, and at most %d are written: "+
		"make pages of the folders below", b.Len(), Limit)
}

// lean is the content without what goes at a step of thrift.
func (c Content) lean(thrift int) Content {
	if thrift >= 1 {
		var kept []Titled
		for _, d := range c.Documents {
			if !d.Folded {
				kept = append(kept, d)
			}
		}
		c.Documents = kept
		c.Untold = append(c.Untold[:len(c.Untold):len(c.Untold)],
			"To keep this page small the tables of single runs are not on it.")
	}
	if read := readOff(c.Pictures); thrift >= 2 && len(read) < len(c.Pictures) {
		c.Pictures = read
		c.Untold = append(c.Untold, "To keep this page small some pictures are only in the folder.")
	}
	if c.shown = mostFlows; thrift >= 3 && len(c.Runs) > 1 {
		c.shown = 1
		c.Untold = append(c.Untold, "To keep this page small requests are shown of the first run alone.")
	} else if more := len(c.Runs) - c.shown; more > 0 {
		c.Untold = append(c.Untold,
			fmt.Sprintf("The requests of %d more runs; pages of their folders have them.", more))
	}
	return c
}

// readOff are the pictures without those that are only looked at.
func readOff(all []picture.Picture) (some []picture.Picture) {
	for _, p := range all {
		if !p.Still() {
			some = append(some, p)
		}
	}
	return some
}
