package headway

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows is the import law of docs/architecture.md: a package may import only
// what its line names, of ours. "*" may import anything and is imported by
// nothing.
var arrows = map[string]string{
	"workload": "", "record": "",
	"internal/tokenizer": "", "internal/chart": "", "internal/wire": "", "internal/hub": "", "internal/model": "", "internal/interp": "", "internal/alarm": "", "internal/series": "",
	"load":                 "workload record internal/alarm",
	"metric":               "record internal/series",
	"internal/prompt":      "workload internal/tokenizer",
	"internal/engine":      "workload record internal/model internal/interp",
	"internal/audit":       "record metric",
	"internal/profile":     "workload record metric internal/model internal/hub internal/chart internal/interp",
	"internal/router":      "workload",
	"workload/synth":       "workload metric internal/chart",
	"report":               "metric record internal/chart",
	"internal/openai":      "workload record internal/wire internal/tokenizer internal/prompt",
	"internal/terminal":    "load record metric",
	"internal/cluster":     "internal/engine internal/router workload record metric internal/model internal/openai internal/tokenizer internal/prompt internal/alarm",
	"internal/study":       "workload workload/synth load record metric report internal/chart internal/openai internal/cluster internal/audit",
	"internal/calibrate":   "internal/audit internal/openai internal/wire load record metric workload",
	"internal/deploy":      "internal/profile internal/model internal/hub workload record load internal/openai internal/tokenizer internal/prompt internal/cluster internal/engine internal/router",
	"internal/deploy/dgd":  "internal/model",
	"internal/deploy/kube": "internal/deploy internal/deploy/dgd internal/profile internal/model workload record",
	"deploy":               "internal/deploy/dgd", // a test of its manifests
	"cmd/headway":          "*",
	// Measurements of everything together; tests only, imported by nothing.
	"internal/wire/bench":      "*",
	"internal/series/coverage": "*",
}

// standardOnly packages import nothing but the standard library and what
// their arrows name.
var standardOnly = []string{"workload", "record"}

// The test parses the files itself: one that asks `go list` passes from the
// test cache when a file changes.
func TestImportLaw(t *testing.T) {
	seen := 0
	walkGo(t, func(path, pkg string, f *ast.File) {
		seen++
		allowed, known := arrows[pkg]
		if !known {
			if pkg != "." {
				t.Errorf("%s: package %s is not in the import law", path, pkg)
			}
			return
		}
		for _, imp := range f.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			ours, isOurs := strings.CutPrefix(name, "headway/")
			switch {
			case !isOurs && slices.Contains(standardOnly, pkg) && strings.Contains(strings.Split(name, "/")[0], ".") && !strings.HasSuffix(path, "_test.go"):
				t.Errorf("%s imports %s: only the standard library is allowed there", path, name)
			case isOurs && ours != pkg && allowed != "*" && !slices.Contains(strings.Fields(allowed), ours):
				t.Errorf("%s imports %s, which the law does not allow for %s", path, ours, pkg)
			case ours == "cmd/headway":
				t.Errorf("%s imports cmd/headway", path)
			}
		}
	})
	if seen < 30 {
		t.Fatalf("only %d files were read", seen)
	}
}

// recordTimes are the fields of record.Record and its parts that are Times.
var recordTimes = []string{"Planned", "Start", "Sent", "Ack", "Done", "FirstByte", "FirstBody", "End", "GotConn",
	"HeadersSent", "DNSStart", "DNSDone", "ConnectStart", "ConnectDone", "TLSStart", "TLSDone"}

// Durations are computed in package metric and nowhere else, so that there is
// one TTFT. The check is syntactic: a subtraction with a field of a Record on
// both sides.
func TestOnlyMetricSubtractsTimes(t *testing.T) {
	walkGo(t, func(path, pkg string, f *ast.File) {
		if pkg == "metric" || strings.HasSuffix(path, "_test.go") || !importsPackage(f, "headway/record") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			b, ok := n.(*ast.BinaryExpr)
			if ok && b.Op == token.SUB && isTime(b.X) && isTime(b.Y) {
				t.Errorf("%s subtracts two times of a Record (%v): that belongs in package metric", path, fmt.Sprint(b.Op))
			}
			return true
		})
	})
}

// clockSteps are the files that take the middle gap of a clock, which must be one
// that occurs, instead of a percentile.
var clockSteps = []string{"workload/spread.go", "workload/synth/arrival.go"}

// There is one definition of a percentile, series.Percentile, which others have as
// metric.Percentile: two tables of the
// same values must not disagree. The check is syntactic: an index that is a part
// of the length of a list. (The length of a field is the width of a grid.)
func TestOnlyMetricTakesPercentiles(t *testing.T) {
	walkGo(t, func(path, pkg string, f *ast.File) {
		if pkg == "internal/series" || strings.HasSuffix(path, "_test.go") || slices.Contains(clockSteps, filepath.ToSlash(path)) {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if at, ok := n.(*ast.IndexExpr); ok && isPartOfLength(at.Index) {
				t.Errorf("%s takes a percentile of its own: use metric.Percentile", path)
			}
			return true
		})
	})
}

// isPartOfLength says whether a length is divided, or multiplied by a share.
func isPartOfLength(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		found = found || ok && (b.Op == token.QUO || b.Op == token.MUL) && lengthOfList.MatchString(types.ExprString(b))
		return true
	})
	return found
}

var lengthOfList = regexp.MustCompile(`\blen\(\w+\)`)

func isTime(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && slices.Contains(recordTimes, s.Sel.Name)
}

func importsPackage(f *ast.File, name string) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(name) })
}

func walkGo(t *testing.T, visit func(path, pkg string, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "docs" || path == "test") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		visit(path, filepath.ToSlash(filepath.Dir(path)), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
