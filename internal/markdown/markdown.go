// Package markdown takes the pages of this project apart, for the tests that hold
// them against the program: which commands a page shows, which files it names,
// whether its links lead somewhere. It knows what those pages use (headings with
// #, fences of three backticks, inline links) and no more of Markdown.
//
// Data flows one way: a file in, its parts out. Nothing is rendered.
package markdown

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode"
)

// Page is a file as its parts, each in order. Lines count from 1.
type Page struct {
	Name     string
	Prose    []Line // lines outside of fences, headings and tables among them
	Headings []Heading
	Blocks   []Block
}

// Line is a line of text without its end.
type Line struct {
	Number int
	Text   string
}

// Heading is a heading of level 1 to 6.
type Heading struct {
	Line, Level int
	Text        string
}

// Block is a fenced block. Info is what follows the opening fence, such as "sh";
// Text has the lines between the fences, each with its end.
type Block struct {
	Line       int
	Info, Text string
}

// Link is the target of an inline link or picture, such as "sla.md#files".
type Link struct {
	Line   int
	Target string
}

var (
	heading = regexp.MustCompile(`^(#{1,6}) +(.*?) *$`)
	code    = regexp.MustCompile("`+[^`]+`+")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// Read takes a file apart. A fence that is not closed is an error, with the line
// where it begins.
func Read(name string) (Page, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Page{}, fmt.Errorf("reading a page: %w", err)
	}
	return Parse(name, string(text))
}

// Parse is Read of a text that is there already; name is for errors.
func Parse(name, text string) (Page, error) {
	page := Page{Name: name}
	var open *Block
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &Block{Line: i + 1, Info: strings.TrimSpace(info)}
		case fence:
			page.Blocks = append(page.Blocks, *open)
			open = nil
		case open != nil:
			open.Text += line + "\n"
		default:
			page.add(Line{i + 1, line})
		}
	}
	if open != nil {
		return page, fmt.Errorf("%s:%d: this block is not closed: end it with ```", name, open.Line)
	}
	return page, nil
}

func (p *Page) add(line Line) {
	p.Prose = append(p.Prose, line)
	if m := heading.FindStringSubmatch(line.Text); m != nil {
		p.Headings = append(p.Headings, Heading{line.Number, len(m[1]), m[2]})
	}
}

// Links are the links of the prose, in order; what stands in code is none.
func (p Page) Links() []Link {
	var list []Link
	for _, line := range p.Prose {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(line.Text, "`"), -1) {
			list = append(list, Link{line.Number, m[1]})
		}
	}
	return list
}

// Code are the inline code spans of the prose, without their backticks.
func (p Page) Code() []Line {
	var list []Line
	for _, line := range p.Prose {
		for _, span := range code.FindAllString(line.Text, -1) {
			list = append(list, Line{line.Number, strings.TrimSpace(strings.Trim(span, "`"))})
		}
	}
	return list
}

// Anchor is the name under which GitHub makes a heading reachable; a second
// heading of the same text, which gets a number, is not considered.
func (h Heading) Anchor() string {
	var b strings.Builder
	for _, r := range strings.ToLower(h.Text) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
