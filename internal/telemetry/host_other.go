//go:build !linux

package telemetry

// ThisHost is not known on this system.
func ThisHost() (Source, bool) { return Source{}, false }
