package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ExpandHome puts the user's home folder for a leading ~, which a shell does
// only where it sees the path: not in a file, in a variable, or after =. Other
// paths come back as they are. Another user's home (~name) is refused: the name
// could as well be a file's.
func ExpandHome(path string, getenv func(string) string) (string, error) {
	if path == "" || path[0] != '~' {
		return path, nil
	}
	rest := path[1:]
	if rest != "" && !os.IsPathSeparator(rest[0]) {
		return "", fmt.Errorf("%s: only ~/ stands for a home folder; write the path out, or ./%s for a file "+
			"of that name",
			path, path)
	}
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home := getenv(name); home != "" {
			return filepath.Join(home, strings.TrimLeft(rest, "/\\")), nil
		}
	}
	return "", errors.New("~ stands for the home folder, and HOME is not set: write the path out")
}
