package headway

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"headway/internal/markdown"
)

// longestProse is how many characters a line of prose may have. A longer one
// hides what a change changed, and is a paragraph of more than one subject.
const longestProse = 400

func TestProseLines(t *testing.T) {
	for _, page := range pages(t) {
		for _, line := range page.Prose {
			if n := utf8.RuneCountInString(line.Text); n > longestProse && !strings.HasPrefix(line.Text, "|") {
				t.Errorf("%s:%d: %d characters in a line, at most %d: break it", page.Name, line.Number,
					n, longestProse)
			}
		}
	}
}

// dialect are phrases that were this project's own, with what its readers know
// instead. The list is short on purpose: each was in many places.
var dialect = map[string]string{
	"anew": "again", "so often": "a number of times", "is said": "is printed, is reported", "are said": "are printed",
	"said to be": "with a message", "found out": "detected", "to be had": "available",
}

func TestPlainWords(t *testing.T) {
	for _, page := range pages(t) {
		if page.Name == "CHANGELOG.md" {
			continue // history
		}
		for _, line := range page.Prose {
			for phrase, plain := range dialect {
				if regexp.MustCompile(`\b` + phrase + `\b`).MatchString(line.Text) {
					t.Errorf("%s:%d: %q: write plainly: %s", page.Name, line.Number, phrase, plain)
				}
			}
		}
	}
}

func TestLinks(t *testing.T) {
	all := pages(t)
	for _, page := range all {
		for _, l := range page.Links() {
			if strings.Contains(l.Target, "://") || strings.HasPrefix(l.Target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(l.Target, "#")
			target := page.Name
			if file != "" {
				target = path.Join(path.Dir(page.Name), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s:%d: the link to %s leads nowhere", page.Name, l.Line, l.Target)
			} else if anchor != "" && !hasAnchor(all, target, anchor) {
				t.Errorf("%s:%d: %s has no heading #%s", page.Name, l.Line, target, anchor)
			}
		}
	}
}

func hasAnchor(all []markdown.Page, file, anchor string) bool {
	i := slices.IndexFunc(all, func(p markdown.Page) bool { return p.Name == file })
	return i >= 0 && slices.ContainsFunc(all[i].Headings, func(h markdown.Heading) bool { return h.Anchor() == anchor })
}

// A text names a file by its path from the root of the project, or by its name alone
// beside the path of a neighbour. What has a hole in it (<verb>, *) is no single file.
var (
	pathOfOurs = regexp.MustCompile(`^(cmd|deploy|docs|endpoint|internal|load|metric|` +
		`record|report|study|test|workload)/[\w./-]*$`)
	nameOfOurs = regexp.MustCompile(`^[\w-]+\.(go|txtar)$`)
)

// fileNames are the names of the files of the project, without their folders.
type fileNames map[string]bool

func filesOf(t *testing.T) fileNames {
	t.Helper()
	names := fileNames{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		names[path.Base(filepath.ToSlash(name))] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// has says whether what stands in code in a text is not the name of a file, or the
// file exists.
func (f fileNames) has(text string) bool {
	if pathOfOurs.MatchString(text) {
		_, err := os.Stat(text)
		return err == nil
	}
	return !nameOfOurs.MatchString(text) || f[text]
}

// Recipes and maps name files. One that was moved or renamed must not stay in them.
func TestNamedFilesExist(t *testing.T) {
	targets, files := makeTargets(t), filesOf(t)
	for _, page := range pages(t) {
		if strings.HasPrefix(page.Name, "CHANGELOG") {
			continue // what it says was true then
		}
		for _, span := range page.Code() {
			if !files.has(span.Text) {
				t.Errorf("%s:%d: there is no %s", page.Name, span.Number, span.Text)
			}
			checkTargets(t, page.Name, span.Number, span.Text, targets)
		}
		for _, b := range page.Blocks {
			checkTargets(t, page.Name, b.Line, b.Text, targets)
		}
	}
}

var calledTarget = regexp.MustCompile(`(?m)(?:^|&& |[A-Z]=\S+ )make ([a-z][a-z0-9-]*)`)

func checkTargets(t *testing.T, page string, line int, text string, targets []string) {
	t.Helper()
	for _, m := range calledTarget.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(targets, m[1]) {
			t.Errorf("%s:%d: the Makefile has no target %s", page, line, m[1])
		}
	}
}

func makeTargets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(string(text), -1) {
		list = append(list, m[1])
	}
	return list
}

// Every page of docs/ is in the index, so that a reader who begins there finds it.
func TestIndexHasEveryPage(t *testing.T) {
	index := read(t, "docs/index.md")
	for _, page := range pages(t) {
		name, inDocs := strings.CutPrefix(page.Name, "docs/")
		if !inDocs || name == "index.md" {
			continue
		}
		if !slices.ContainsFunc(index.Links(), func(l markdown.Link) bool { return l.Target == name }) {
			t.Errorf("docs/index.md does not have %s", name)
		}
	}
}

// translated are the pages that exist in Chinese, too, with their translations.
var translated = map[string]string{
	"README.md":               "docs/zh/README.md",
	"docs/getting-started.md": "docs/zh/getting-started.md",
}

// A translation has the headings of its page, by number and level, and the same
// blocks of commands; comments in them may be translated.
func TestTranslationsAreInStep(t *testing.T) {
	for name, other := range translated {
		page, translation := read(t, name), read(t, other)
		if d := cmp.Diff(outline(page), outline(translation)); d != "" {
			t.Errorf("%s has other headings than %s (-%s +%s):\n%s", other, name, name, other, d)
		}
		if d := cmp.Diff(commands(page), commands(translation)); d != "" {
			t.Errorf("%s has other blocks than %s (-%s +%s):\n%s", other, name, name, other, d)
		}
	}
}

func outline(page markdown.Page) (levels []int) {
	for _, h := range page.Headings {
		levels = append(levels, h.Level)
	}
	return levels
}

var comment = regexp.MustCompile(`(?m) +# .*$`)

func commands(page markdown.Page) (list []string) {
	for _, b := range page.Blocks {
		list = append(list, b.Info+"\n"+comment.ReplaceAllString(b.Text, ""))
	}
	return list
}

var term = regexp.MustCompile(`^- \*\*(.+?)\*\*`)

// One meaning a word: the glossary has each term once, in the order of the alphabet
// within a section.
func TestGlossary(t *testing.T) {
	seen, last := map[string]int{}, ""
	for _, line := range read(t, "docs/glossary.md").Prose {
		if strings.HasPrefix(line.Text, "#") {
			last = ""
		}
		m := term.FindStringSubmatch(line.Text)
		if m == nil {
			continue
		}
		word := strings.ToLower(m[1])
		if seen[word] != 0 {
			t.Errorf("docs/glossary.md:%d: %s has a meaning in line %d already", line.Number, m[1], seen[word])
		}
		if word < last {
			t.Errorf("docs/glossary.md:%d: %s stands behind %s", line.Number, m[1], last)
		}
		seen[word], last = line.Number, word
	}
	if len(seen) < 40 {
		t.Errorf("docs/glossary.md: only %d terms were read", len(seen))
	}
}

func read(t *testing.T, name string) markdown.Page {
	t.Helper()
	page, err := markdown.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// pages are the Markdown files of the project, by their paths from its root.
func pages(t *testing.T) []markdown.Page {
	t.Helper()
	var list []markdown.Page
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".md"):
			page := read(t, name)
			page.Name = filepath.ToSlash(name)
			list = append(list, page)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
