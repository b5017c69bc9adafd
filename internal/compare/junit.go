package compare

import (
	"encoding/xml"
	"fmt"
	"io"

	"headway/metric"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the gates as a JUnit report: one suite for each comparison, one
// test for each gate at each load. A gate that is missed is a failure; one that is not
// decided is skipped, and with strict a failure.
func (r *Result) WriteJUnit(w io.Writer, strict bool) error {
	var all junitSuites
	for _, v := range r.Versus {
		s := junitSuite{Name: fmt.Sprintf("%s against %s", v.B, v.A)}
		for _, g := range v.Gates {
			s.add(g, strict)
		}
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(g GateVerdict, strict bool) {
	c := junitCase{Class: g.Point, Name: g.Gate.Text}
	s.Tests++
	switch {
	case g.Decision == metric.Missed, g.Decision == metric.NotDecided && strict:
		c.Failure = &junitMessage{g.String()}
		s.Failures++
	case g.Decision == metric.NotDecided:
		c.Skipped = &junitMessage{g.String()}
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}
