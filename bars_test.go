package headway

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The bars of how code reads here. Lines are counted as they stand in a file, a
// tab as four columns.
const (
	widest       = 120  // columns of a line of code
	mostAssigned = 3    // places that one assignment fills with a value each
	middle       = 10   // lines of a function: the median
	long         = 50   // lines of a function: the 99th percentile
	longest      = 400  // lines of a file
	longestVerb  = 120  // lines of a file of cmd/headway
	commandLine  = 2750 // lines of cmd/headway
	leastTested  = 0.6  // lines of tests over lines of code
)

func TestLines(t *testing.T) {
	for _, s := range goFiles(t) {
		if n := strings.Count(s.text, "\n"); n > longest {
			t.Errorf("%s: %d lines, at most %d: split it by topic", s.path, n, longest)
		}
		for _, line := range s.wideLines() {
			t.Errorf("%s:%d: more than %d columns: break the line", s.path, line, widest)
		}
		for _, line := range s.tuples() {
			t.Errorf("%s:%d: more than %d values assigned at once: one a line, so that a change shows what it changes",
				s.path, line, mostAssigned)
		}
	}
}

// The command line reads options, calls and prints: what a verb does is elsewhere.
func TestCommandLineIsThin(t *testing.T) {
	whole := 0
	for _, s := range goFiles(t) {
		if filepath.ToSlash(filepath.Dir(s.path)) != "cmd/headway" || s.isTest() {
			continue
		}
		n := strings.Count(s.text, "\n")
		if whole += n; n > longestVerb {
			t.Errorf("%s: %d lines, at most %d: move what is not options, a call and printing", s.path, n, longestVerb)
		}
	}
	if whole == 0 || whole > commandLine {
		t.Errorf("cmd/headway has %d lines without tests, at most %d", whole, commandLine)
	}
}

// fieldInPlainError is an option in an error that does not turn it into the name that a
// user types.
var fieldInPlainError = regexp.MustCompile(`fmt\.Errorf\([^\n]*(\n[^\n]*)?fault\.Field\(`)

func TestOptionsInErrors(t *testing.T) {
	if !fieldInPlainError.MatchString("fmt.Errorf(\"%s\",\n\tfault.Field(\"x\"))") {
		t.Error("the pattern finds none")
	}
	for _, s := range goFiles(t) {
		if found := fieldInPlainError.FindString(s.text); found != "" && !s.isTest() {
			t.Errorf("%s: %s: fault.New makes --name of it", s.path, found)
		}
	}
}

func TestFunctions(t *testing.T) {
	var code, all []int
	for _, s := range goFiles(t) {
		list := s.functions()
		all = append(all, list...)
		if !s.isTest() {
			code = append(code, list...)
		}
	}
	half, most := spread(code)
	t.Logf("%d functions without tests: median %d lines, 99th percentile %d", len(code), half, most)
	if half > middle {
		t.Errorf("functions without tests: median %d lines, at most %d", half, middle)
	}
	if most > long {
		t.Errorf("functions without tests: 99th percentile %d lines, at most %d", most, long)
	}
	half, most = spread(all)
	t.Logf("%d functions with tests: median %d lines, 99th percentile %d", len(all), half, most)
	if most > long {
		t.Errorf("functions with tests: 99th percentile %d lines, at most %d", most, long)
	}
}

// spread is the median and the 99th percentile of lengths.
func spread(lengths []int) (half, most int) {
	slices.Sort(lengths)
	return lengths[len(lengths)/2], lengths[len(lengths)*99/100]
}

func TestShareOfTests(t *testing.T) {
	var code, tests int
	for _, s := range goFiles(t) {
		if s.isTest() {
			tests += s.lines()
		} else {
			code += s.lines()
		}
	}
	share := float64(tests) / float64(code)
	t.Logf("%d lines of tests over %d of code: %.2f", tests, code, share)
	if share < leastTested {
		t.Errorf("%d lines of tests over %d of code are %.2f: at least %.1f", tests, code, share, leastTested)
	}
}

// source is a file of Go.
type source struct {
	path, text string
	fset       *token.FileSet
	file       *ast.File
}

func parsed(path, text string) (source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, 0)
	return source{path, text, fset, f}, err
}

// goFiles are all files of the module. A folder below with a module of its own is
// not of it.
func goFiles(t *testing.T) (list []source) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			_, own := os.Stat(filepath.Join(path, "go.mod"))
			if path != "." && (own == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, ".go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			s, err := parsed(filepath.ToSlash(path), string(text))
			list = append(list, s)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("only %d files were read", len(list))
	}
	return list
}

// isTest says whether the file is for tests only.
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// wideLines are the numbers of lines that are too wide. Text that a raw string
// carries over several lines is what it has to be, and no code.
func (s source) wideLines() (list []int) {
	text := map[int]bool{}
	s.tokens(func(first, last int, kind token.Token) {
		for n := first; kind == token.STRING && last > first && n <= last; n++ {
			text[n] = true
		}
	})
	ast.Inspect(s.file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil {
			text[s.fset.Position(f.Tag.Pos()).Line] = true // a tag cannot be broken
		}
		return true
	})
	n, example := 0, strings.HasSuffix(s.path, "example_test.go")
	for line := range strings.Lines(s.text) {
		n++
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")
		if example && strings.HasPrefix(strings.TrimSpace(line), "// ") {
			continue // what an example prints
		}
		if utf8.RuneCountInString(line) > widest && !text[n] {
			list = append(list, n)
		}
	}
	return list
}

// tuples are the lines of assignments that fill too many places with a value
// each. What a function returns may be as many as it likes.
func (s source) tuples() (list []int) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Rhs) > mostAssigned {
			list = append(list, s.fset.Position(a.Pos()).Line)
		}
		return true
	})
	return list
}

// functions are the lengths of the declared functions in lines.
func (s source) functions() (list []int) {
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			list = append(list, s.fset.Position(f.End()).Line-s.fset.Position(f.Pos()).Line+1)
		}
	}
	return list
}

// lines counts those that hold code: no empty ones and no comments.
func (s source) lines() int {
	with := map[int]bool{}
	s.tokens(func(first, last int, _ token.Token) {
		for n := first; n <= last; n++ {
			with[n] = true
		}
	})
	return len(with)
}

// tokens visits every token with its first and last line.
func (s source) tokens(visit func(first, last int, kind token.Token)) {
	f := token.NewFileSet().AddFile(s.path, -1, len(s.text))
	var scan scanner.Scanner
	scan.Init(f, []byte(s.text), nil, 0)
	for pos, kind, text := scan.Scan(); kind != token.EOF; pos, kind, text = scan.Scan() {
		if first := f.Line(pos); kind != token.SEMICOLON || text != "\n" {
			visit(first, first+strings.Count(text, "\n"), kind)
		}
	}
}

// Each check has to be able to fail.
func TestBarsCanFail(t *testing.T) {
	wide := strings.Repeat("x", widest-3)
	for _, test := range []struct {
		name, text   string
		wide, tuples []int
		functions    []int
		lines        int
	}{
		{"a wide comment", "// " + wide + "\n// " + wide + "x\n", []int{3}, nil, nil, 1},
		{"tabs are four columns", "var a = 1 //" + strings.Repeat("\t", 28) + "\n", []int{2}, nil, nil, 2},
		{"a wide string", "var a = `" + wide + "`\n", []int{2}, nil, nil, 2},
		{"text of several lines", "var a = `\n" + wide + "xxxx\n`\n", nil, nil, nil, 4},
		{"assignments", "func f() {\n\ta, b, c, d := 1, 2, 3, 4\n\ta, b, c = 1, 2, 3\n\ta, b, c, d = f()\n}\n",
			nil, []int{3}, []int{5}, 6},
		{"functions", "func f() {}\n\nfunc (t) g() {\n\n\tfunc() {\n\t}()\n}\n", nil, nil, []int{1, 5}, 6},
	} {
		s, err := parsed("a/b.go", "package a\n"+test.text)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := s.wideLines(); !slices.Equal(got, test.wide) {
			t.Errorf("%s: wide lines %v, want %v", test.name, got, test.wide)
		}
		if got := s.tuples(); !slices.Equal(got, test.tuples) {
			t.Errorf("%s: tuples in lines %v, want %v", test.name, got, test.tuples)
		}
		if got := s.functions(); !slices.Equal(got, test.functions) {
			t.Errorf("%s: functions of %v lines, want %v", test.name, got, test.functions)
		}
		if got := s.lines(); got != test.lines {
			t.Errorf("%s: %d lines, want %d", test.name, got, test.lines)
		}
	}
}
