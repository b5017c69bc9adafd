//go:build !linux

package study

// aside does nothing: elsewhere priorities are those of a process.
func aside() {}
