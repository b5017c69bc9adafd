package headway

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var warningCode = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// Every code of a warning, and of a reason of the verdict on the client, is on the
// page that says what to do. Codes are those of composite literals, and of calls in
// files that make warnings of a code they are given.
func TestWarningsAreExplained(t *testing.T) {
	page, err := os.ReadFile("docs/warnings.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, s := range goFiles(t) {
		if s.isTest() {
			continue
		}
		for _, code := range s.warningCodes() {
			seen[code] = s.path
		}
	}
	if len(seen) < 30 {
		t.Fatalf("only %d codes were found: %v", len(seen), seen)
	}
	for code, path := range seen {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/warnings.md does not have %s of %s", code, path)
		}
	}
}

// warningCodes are the codes that a file gives to warnings and reasons.
func (s source) warningCodes() (codes []string) {
	text := func(e ast.Expr) string {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			code, _ := strconv.Unquote(l.Value)
			return code
		}
		return ""
	}
	gives := strings.Contains(s.text, "Warning{Code: code")
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Code" && ofWarning(n, s.text) {
					codes = append(codes, text(kv.Value))
				}
			}
		case *ast.CallExpr:
			if gives && len(n.Args) > 1 && isWarn(n.Fun) {
				codes = append(codes, text(n.Args[0]), text(n.Args[1]))
			}
		}
		return true
	})
	kept := codes[:0]
	for _, c := range codes {
		if warningCode.MatchString(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// ofWarning says whether a literal is of a warning or a reason; one without a type
// is an element of a list, of whose file the name is looked for.
func ofWarning(l *ast.CompositeLit, file string) bool {
	switch t := l.Type.(type) {
	case *ast.SelectorExpr:
		return t.Sel.Name == "Warning" || t.Sel.Name == "AuditReason"
	case nil:
		return strings.Contains(file, "[]record.Warning{{")
	}
	return false
}

func isWarn(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name == "add" || f.Name == "warn"
	case *ast.SelectorExpr:
		return f.Sel.Name == "add" || f.Sel.Name == "warn"
	}
	return false
}
