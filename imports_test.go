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
	"workload": "internal/bound", "record": "",
	"internal/tokenizer": "internal/bound", "internal/chart": "internal/plain", "internal/wire": "",
	"internal/model": "internal/bound", "internal/interp": "internal/bound",
	"internal/alarm": "", "internal/series": "", "internal/sequential": "",
	"internal/manual": "", "internal/supply": "", "internal/filelock": "",
	"internal/interrupt": "",
	"internal/packed":    "",
	"internal/fleet":     "metric record internal/packed internal/series",
	"internal/secret":    "", "internal/settings": "", "internal/plain": "", "internal/bound": "", "internal/fault": "",
	"internal/config":    "internal/bound",
	"internal/telemetry": "record report", // the report in tests: it reads the lines
	"load":               "workload record internal/alarm",
	"metric":             "record internal/series internal/packed",
	"internal/hub":       "internal/config internal/bound internal/fault",
	"internal/prompt":    "workload internal/tokenizer",
	"internal/tokens":    "workload record internal/hub internal/tokenizer internal/prompt internal/openai",
	"internal/engine":    "internal/fault workload record internal/model internal/interp internal/bound",
	"internal/audit":     "record metric internal/config internal/bound",
	"internal/profile": "internal/fault workload record metric internal/model internal/hub internal/chart " +
		"internal/interp internal/settings internal/bound internal/profile/step report report/picture",
	"internal/profile/step":      "internal/interp internal/bound",
	"internal/router":            "internal/fault workload",
	"internal/router/policyfile": "internal/fault internal/bound internal/router",
	"workload/synth":             "internal/fault workload metric internal/bound",
	"report": "metric record internal/filelock internal/secret internal/plain internal/bound " +
		"report/internal/fixture",
	"internal/tail": "record metric internal/series internal/engine", // the engine in tests: its events are the truth
	"report/picture": "report metric record workload workload/synth internal/chart internal/plain " +
		"report/internal/fixture internal/fault",
	"internal/page":  "report report/picture metric record internal/plain internal/chart", // the last in tests
	"report/parquet": "report metric record report/internal/fixture",
	"internal/openai": "internal/fault workload record internal/wire internal/tokenizer internal/prompt " +
		"internal/secret internal/plain internal/bound",
	"internal/terminal": "load record metric internal/plain",
	"internal/web": "internal/terminal internal/page internal/study internal/study/pages internal/plain report " +
		"load metric record", // the last three in tests
	"internal/cluster": "internal/fault internal/engine internal/router workload record metric internal/model " +
		"internal/openai internal/tokenizer internal/prompt internal/alarm internal/bound",
	"internal/cli": "internal/fault internal/options internal/config internal/manual internal/interrupt " +
		"internal/plain internal/secret internal/settings internal/terminal internal/audit internal/bound " +
		"internal/web internal/export internal/study load " +
		"record metric workload report",
	"internal/options": "internal/fault internal/plain workload workload/synth metric record internal/cluster " +
		"internal/engine internal/router internal/router/policyfile internal/model internal/openai " +
		"internal/config internal/bound internal/twin internal/profile/step",
	"internal/twin": "internal/engine internal/cluster internal/fault internal/bound record",
	"internal/twin/fit": "internal/twin internal/engine internal/cluster internal/fault internal/bound " +
		"internal/profile internal/profile/step workload record metric report",
	"internal/twin/hidden": "internal/twin internal/twin/fit internal/engine workload metric",
	"internal/twin/live": "internal/twin internal/twin/probe internal/fault internal/options internal/openai " +
		"internal/audit internal/study internal/deploy internal/telemetry workload record report",
	"internal/twin/probe": "internal/twin internal/twin/fit internal/profile internal/fault internal/bound workload " +
		"record metric report internal/study internal/cluster internal/engine", // the last three in tests
	"internal/plan": "internal/bound internal/cluster internal/engine internal/fault internal/options internal/plain " +
		"internal/profile internal/router internal/settings internal/twin internal/twin/fit workload record metric " +
		"report", // internal/engine in tests
	"internal/study": "workload workload/synth load record metric report internal/fault internal/options " +
		"internal/settings internal/hub internal/tokens internal/plain internal/secret report/parquet report/llmd " +
		"internal/openai internal/cluster internal/router internal/audit internal/filelock internal/bound " +
		"internal/telemetry internal/tail internal/sequential internal/engine", // the last in tests
	"internal/study/router": "internal/fault internal/settings internal/options internal/study workload " +
		"workload/synth load record metric report report/picture internal/openai internal/cluster " +
		"internal/router internal/tokenizer internal/plain internal/bound", // studies that are more than a sweep
	"internal/study/pages": "internal/study internal/bound internal/plain report internal/page report/picture metric " +
		"record",
	"internal/compare": "internal/study internal/study/pages internal/plain internal/fault internal/options " +
		"internal/settings metric record report",
	"internal/restate": "internal/study internal/options metric record report", // options in tests
	"internal/duel": "internal/compare internal/deploy internal/fault internal/options internal/plain " +
		"internal/router internal/sequential internal/settings internal/study internal/study/pages metric record " +
		"report workload",
	"internal/trace": "internal/fault internal/plain internal/tokenizer workload workload/synth record " +
		"report report/picture",
	"internal/calibrate": "internal/audit internal/openai internal/wire load record metric workload",
	"internal/deploy": "internal/fault internal/filelock internal/profile internal/model internal/hub " +
		"workload record report internal/study internal/audit internal/openai internal/tokenizer internal/prompt " +
		"internal/cluster internal/engine internal/router internal/options internal/twin metric " +
		"internal/options/profiling internal/settings internal/telemetry",
	"internal/deploy/dgd":     "internal/model internal/fault internal/deploy/release",
	"internal/deploy/release": "", // what differs between releases of Dynamo, as data
	"internal/deploy/dgdr":    "internal/deploy/dgd internal/fault internal/config",
	"internal/deploy/place": "internal/fault internal/options internal/options/profiling internal/deploy " +
		"internal/deploy/dgd internal/deploy/kube internal/engine internal/profile",
	"internal/options/profiling": "internal/fault internal/options internal/profile internal/deploy/dgd " +
		"internal/model internal/openai metric workload",
	"internal/deploy/kube": "internal/fault internal/deploy internal/deploy/dgd internal/profile internal/model " +
		"workload record internal/bound internal/study internal/telemetry internal/options",
	"internal/sla": "internal/fault internal/settings internal/profile internal/deploy internal/deploy/dgd " +
		"internal/deploy/release internal/deploy/dgdr " +
		"internal/model internal/hub internal/bound workload metric report report/picture internal/config " +
		"internal/options internal/options/profiling internal/twin",
	"internal/export": "internal/export/otlp internal/export/prom internal/export/tally internal/export/upload " +
		"internal/options internal/study load metric record report", // outside of the load; nothing of it is waited for
	"internal/export/tally":  "load metric record",
	"internal/export/otlp":   "internal/export/tally metric record",
	"internal/export/prom":   "internal/export/tally record metric",
	"internal/export/upload": "",
	"report/llmd":            "report metric record report/internal/fixture",
	"internal/doctor": "internal/audit internal/deploy internal/deploy/kube internal/openai internal/plain " +
		"internal/secret internal/study internal/telemetry internal/wire internal/fault internal/filelock metric " +
		"record report workload",
	"deploy": "internal/deploy/dgd",
	// a test of its manifests
	"cmd/headway": "*",
	// The library: internal/cluster and what a test needs beside it are for tests and examples.
	"endpoint": "internal/fault internal/hub internal/openai internal/tokens record report workload load " +
		"metric internal/cluster internal/engine",
	"study": "endpoint internal/fault internal/settings internal/study internal/audit internal/cluster " +
		"internal/engine internal/router internal/model metric record report workload",
	"internal/markdown": "", // for tests of the documents
	// Dynamo itself, with headway as a program: imported by nothing.
	"test/dynamo/lane": "internal/tokenizer", // in a test of the model that is made there
	// Runs for the tests of report and those below it, whose fixture may not import them.
	"report/internal/fixture": "metric record",
	// Measurements of everything together; tests only, imported by nothing.
	"internal/wire/bench":      "*",
	"internal/series/coverage": "*",
	"internal/compare/power":   "*",
	"internal/duel/power":      "*",
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
			case !isOurs && slices.Contains(standardOnly, pkg) && strings.Contains(strings.Split(name, "/")[0], ".") &&
				!strings.HasSuffix(path, "_test.go"):
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

// heavy are modules that a program should not link for figures alone.
var heavy = []string{"gonum.org/v1/plot", "github.com/parquet-go/", "k8s.io/", "sigs.k8s.io/",
	"github.com/alecthomas/kong"}

// light are the packages of the library that link none of them, however far away,
// but for those named. Pictures and tables are in report/picture and report/parquet.
var light = map[string]string{"workload": "", "workload/synth": "", "record": "", "load": "", "metric": "",
	"report": "", "endpoint": "",
	"study": "github.com/parquet-go/"} // the files of a run can have a table of its requests

func TestLibraryIsLight(t *testing.T) {
	imports := map[string][]string{} // of each package of ours, without tests
	walkGo(t, func(path, pkg string, f *ast.File) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, imp := range f.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			imports[pkg] = append(imports[pkg], name)
		}
	})
	for pkg, but := range light {
		if imports[pkg] == nil {
			t.Errorf("package %s is not there", pkg)
		}
		for name, by := range reached(imports, pkg) {
			if slices.ContainsFunc(heavy, func(h string) bool { return h != but && strings.HasPrefix(name, h) }) {
				t.Errorf("%s links %s, by %s", pkg, name, strings.Join(by, ", "))
			}
		}
	}
}

// reached are all that a package imports, itself or by others of ours, with the way
// there.
func reached(imports map[string][]string, pkg string) map[string][]string {
	ways := map[string][]string{}
	var follow func(pkg string, way []string)
	follow = func(pkg string, way []string) {
		for _, name := range imports[pkg] {
			if ways[name] != nil {
				continue
			}
			ways[name] = way
			if ours, isOurs := strings.CutPrefix(name, "headway/"); isOurs {
				follow(ours, append(slices.Clip(way), ours))
			}
		}
	}
	follow(pkg, []string{pkg})
	return ways
}

// Faults of a configuration name fields (fault.Field), so that a library, a file
// or a form can have names of its own for them: only the command line speaks of
// its flags. The check is syntactic: an error, or a format of package fault, that
// has a flag of ours outside of a command in backquotes. Advice is no fault, and
// is kept beside the failure that it is about (docs/adr/0007).
func TestFaultsSpeakOfFields(t *testing.T) {
	walkGo(t, func(path, pkg string, f *ast.File) {
		if pkg == "cmd/headway" || pkg == "internal/cli" || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			made := makesFault.MatchString(types.ExprString(call.Fun))
			for _, a := range call.Args {
				text := types.ExprString(a)
				if made && flagInText.MatchString(inBackquotes.ReplaceAllString(text, "")) {
					t.Errorf("%s: %s: name the field with fault.Field", path, text)
				}
			}
			return true
		})
	})
}

var (
	makesFault   = regexp.MustCompile(`^(fmt\.Errorf|errors\.New|fault\.New|fault\.Text|bad\.\w+)$`)
	inBackquotes = regexp.MustCompile("`[^`]*`|--(http-port|stream-interval)\\b") // those are of servers
	flagInText   = regexp.MustCompile(`["( ]--[a-z]`)
)

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
				t.Errorf("%s subtracts two times of a Record (%v): that belongs in package metric", path,
					fmt.Sprint(b.Op))
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
		if pkg == "internal/series" || strings.HasSuffix(path, "_test.go") ||
			slices.Contains(clockSteps, filepath.ToSlash(path)) {
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
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" ||
			d.Name() == "docs" || path == "test") {
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
