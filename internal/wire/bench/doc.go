// Package bench measures package wire and all that stands on it: complete
// clients of this module, net/http and a C program that only reads, each
// against one C server that writes the send time into every event. It has
// tests only: `make bench-wire` runs them and prints the table of
// docs/performance.md. Nothing imports it.
package bench
