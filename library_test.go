package headway

import (
	"context"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "headway/endpoint" // what the program is built of, so that its change is a change of this test
	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/markdown"
	_ "headway/study"
)

// A program outside of this module is built, with nothing but the module cache, and
// measures a server.
func TestLibraryOutsideOfTheModule(t *testing.T) {
	source := readText(t, "test/library/main.go")
	for _, name := range []string{"go.mod", "go.sum"} {
		readText(t, filepath.Join("test/library", name)) // for the cache of tests, which sees no other process
	}
	if lines := strings.Count(source, "\n"); lines >= 40 {
		t.Errorf("test/library/main.go has %d lines: the promise is less than 40", lines)
	}
	program := buildLibrary(t)
	cmd := exec.CommandContext(t.Context(), program, simulated(t), "some-org/some-model")
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_HOME="+t.TempDir())
	var diagnostics strings.Builder
	cmd.Stderr = &diagnostics
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, diagnostics.String())
	}
	if !regexp.MustCompile(`^p99 TTFT [1-9][0-9]*\.[0-9] ms, of 100 requests\n$`).Match(out) {
		t.Errorf("it printed %q and %q", out, diagnostics.String())
	}
	if !strings.Contains(diagnostics.String(), "built-in tokenizer") {
		t.Errorf("no warning of the tokenizer in %q", diagnostics.String())
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// buildLibrary builds test/library without the network.
func buildLibrary(t *testing.T) (program string) {
	t.Helper()
	tool, err := exec.LookPath("go") // go test puts its own first
	if err != nil {
		t.Skip("there is no go command to build with")
	}
	program = filepath.Join(t.TempDir(), "library.exe")
	build := exec.CommandContext(t.Context(), tool, "build", "-o", program, ".")
	build.Dir = filepath.Join("test", "library")
	build.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building test/library: %v: where go.mod changed, run 'go mod tidy' there\n%s", err, text)
	}
	return program
}

// simulated is a simulated engine whose first token takes 20 ms.
func simulated(t *testing.T) (url string) {
	t.Helper()
	srv, err := cluster.NewServer(cluster.ServerConfig{Model: "some-org/some-model",
		Engine: engine.Config{Timing: engine.Fixed{TTFT: 20e6, ITL: 1e6}}})
	if err != nil {
		t.Fatal(err)
	}
	at, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()) })
	return "http://" + at.String()
}

// The page about the library shows the program as it is.
func TestLibraryPageHasTheProgram(t *testing.T) {
	_, program, _ := strings.Cut(readText(t, "test/library/main.go"), "\n\n")
	page := read(t, "docs/library.md")
	has := func(b markdown.Block) bool { return strings.Contains(b.Text, strings.TrimSpace(program)) }
	if !slices.ContainsFunc(page.Blocks, has) {
		t.Error("docs/library.md does not have test/library/main.go")
	}
	for pkg := range public(t) {
		if !slices.ContainsFunc(page.Code(), func(l markdown.Line) bool { return l.Text == pkg }) {
			t.Errorf("docs/library.md does not name the package %s", pkg)
		}
	}
}

// public are the packages that others may import, with their files.
func public(t *testing.T) map[string][]*ast.File {
	t.Helper()
	all := map[string][]*ast.File{}
	closed := func(part string) bool { return part == "internal" || part == "cmd" }
	walkGo(t, func(path, pkg string, f *ast.File) {
		if pkg != "." && pkg != "deploy" && !slices.ContainsFunc(strings.Split(pkg, "/"), closed) {
			all[pkg] = append(all[pkg], f)
		}
	})
	return all
}

// Every public package has an example that is run.
func TestPublicPackagesHaveExamples(t *testing.T) {
	var with []string
	walkExamples(t, func(pkg string) { with = append(with, pkg) })
	for pkg := range public(t) {
		if !slices.Contains(with, pkg) {
			t.Errorf("package %s has no Example function with an output", pkg)
		}
	}
}

// walkExamples tells of every example with an output.
func walkExamples(t *testing.T, found func(pkg string)) {
	t.Helper()
	for pkg := range public(t) {
		files, err := filepath.Glob(filepath.Join(pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if text := readText(t, name); strings.Contains(text, "\nfunc Example") &&
				strings.Contains(text, "// Output:\n") {
				found(pkg)
			}
		}
	}
}

// embedded are parts of exported types that come from internal packages: their methods
// are the type's own, and nobody has to name them.
var embedded = []string{"report.Redactor"}

// What is exported speaks of no type of an internal package: a stranger could neither
// name it nor look it up. The check is syntactic.
func TestPublicTypesAreNameable(t *testing.T) {
	for pkg, files := range public(t) {
		for _, f := range files {
			if !strings.HasSuffix(f.Name.Name, "_test") {
				c := nameable{t, pkg, internalImports(f)}
				for _, d := range f.Decls {
					c.decl(d)
				}
			}
		}
	}
}

// internalImports are the names by which a file calls internal packages.
func internalImports(f *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if strings.Contains(path, "/internal/") {
			names[path[strings.LastIndex(path, "/")+1:]] = true
		}
	}
	return names
}

// nameable checks what a package exports.
type nameable struct {
	t        *testing.T
	pkg      string
	internal map[string]bool
}

func (c nameable) decl(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		test := strings.HasPrefix(d.Name.Name, "Test") || strings.HasPrefix(d.Name.Name, "Fuzz")
		if d.Name.IsExported() && !test && (d.Recv == nil || exportedType(d.Recv.List[0].Type)) {
			c.expr(d.Name.Name, d.Type)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			// An alias gives an internal type a public name.
			s, ok := s.(*ast.TypeSpec)
			if ok && s.Name.IsExported() && !s.Assign.IsValid() && !slices.Contains(embedded, c.pkg+"."+s.Name.Name) {
				c.typeOf(s)
			}
		}
	}
}

func exportedType(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	name, ok := e.(*ast.Ident)
	return ok && name.IsExported()
}

// typeOf checks the exported fields of a struct, or all of another type.
func (c nameable) typeOf(s *ast.TypeSpec) {
	of, ok := s.Type.(*ast.StructType)
	if !ok {
		c.expr(s.Name.Name, s.Type)
		return
	}
	for _, f := range of.Fields.List {
		if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
			c.expr(s.Name.Name, f.Type)
		}
	}
}

func (c nameable) expr(of string, e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && c.internal[x.Name] {
			c.t.Errorf("%s.%s speaks of %s.%s, which is internal", c.pkg, of, x.Name, s.Sel.Name)
		}
		return true
	})
}
