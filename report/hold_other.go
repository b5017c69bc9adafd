//go:build !linux && !darwin

package report

import "os"

func hold(*os.File) {}

// held is not known here, so that nothing is removed.
func held(string) bool { return true }
