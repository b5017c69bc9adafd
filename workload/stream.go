package workload

import "fmt"

// Stream names one measurement of a run. Every measurement draws from its own
// key, so none sends a prompt that an earlier one left in a prefix cache.
type Stream struct {
	Run    string // the benchmark's name
	Level  string // such as a concurrency
	Repeat int    // from 0
	Mode   string // such as a routing mode under comparison
}

// Key derives the key of a measurement from the one seed of a run. Each part is
// derived under its own name, so that parts cannot stand in for each other.
func (s Stream) Key(seed uint64) Key {
	return Seed(seed).
		Named("run=" + s.Run).
		Named("level=" + s.Level).
		Named("repeat").Index(s.Repeat).
		Named("mode=" + s.Mode)
}

// sessionID is a UUID of the key's own (version 8 of RFC 9562). Numbers that
// start at 1 in every level would make a server that routes by session take the
// sessions of two levels for the same.
func sessionID(k Key) string {
	hi, lo := uint64(k), mix(uint64(k)+0x9e3779b97f4a7c15)
	return fmt.Sprintf("%08x-%04x-8%03x-%04x-%012x",
		hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0x3fff|0x8000, lo&0xffffffffffff)
}
