package hub

import (
	"path"
	"path/filepath"
	"strings"
)

// longestName is what the hub allows for "organisation/name".
const longestName = 96

// checkNames says what is wrong with the name of a model or a revision, or "".
func checkNames(model, revision string) string {
	switch {
	case !validModel(model):
		return "letters, digits, '-', '_' and '.' are allowed, with one '/' at most, no '--' and no '..', and no " +
			"'-' or '.' at either end"
	case !validRevision(revision):
		return "revision " + quote(revision) + " is not a branch, a tag or a commit"
	}
	return ""
}

func quote(s string) string {
	if len(s) > longestName {
		s = s[:longestName] + "…"
	}
	return `"` + s + `"`
}

func validModel(model string) bool {
	if len(model) > longestName || strings.Contains(model, "--") || strings.Contains(model, "..") {
		return false
	}
	parts := strings.Split(model, "/")
	if len(parts) > 2 {
		return false
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "-.") != p || !isPlain(p) {
			return false
		}
	}
	return true
}

// isPlain allows what can be a part of a path everywhere.
func isPlain(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r) {
			return false
		}
	}
	return true
}

// validRevision allows slashes: refs/pr/1 is one.
func validRevision(revision string) bool {
	for _, p := range strings.Split(revision, "/") {
		if p == "" || strings.HasPrefix(p, ".") || !isPlain(p) {
			return false
		}
	}
	return true
}

// validFile allows a relative path that stays below its folder.
func validFile(file string) bool {
	return file != "" && path.Clean(file) == file && filepath.IsLocal(filepath.FromSlash(file)) && file != "." &&
		!strings.ContainsAny(file, "\\:\x00")
}

// looksLocal is true for what can only have been meant as a path.
func looksLocal(model string) bool {
	return filepath.IsAbs(model) || strings.HasPrefix(model, "./") || strings.HasPrefix(model, "../") ||
		strings.HasPrefix(model, "~") || model == "." || model == ".." || strings.HasSuffix(model, ".json")
}

// folderName is the name of a model's folder in the cache.
func folderName(model string) string { return "models--" + strings.ReplaceAll(model, "/", "--") }

// isCommit is true for a full commit: 40 hexadecimal digits.
func isCommit(s string) bool { return len(s) == 40 && isHex(s) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
