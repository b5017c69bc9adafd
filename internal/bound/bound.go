// Package bound says how much memory there is, keeps accounts of it, and reads
// files that may be larger than anybody wants.
//
// A server, a file or a hub decides how much it sends; without a bound that is
// how much memory this program takes. docs/limits.md has the table of all
// bounds. The defaults of those in bytes follow from what this process may use,
// which in a container is less than the machine has.
package bound

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of memory. As an option it is a number of bytes, or one
// with a suffix: kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

var units = []struct {
	suffix string
	size   float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"TB", 1e12}, {"B", 1}}

// UnmarshalText reads an amount of one byte or more.
func (b *Bytes) UnmarshalText(text []byte) error {
	s, size := strings.TrimSpace(string(text)), 1.0
	for _, u := range units {
		if len(s) > len(u.suffix) && strings.EqualFold(s[len(s)-len(u.suffix):], u.suffix) {
			s, size = strings.TrimSpace(s[:len(s)-len(u.suffix)]), u.size
			break
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	if x *= size; err != nil || math.IsNaN(x) || x < 1 || x >= math.MaxInt64 {
		return fmt.Errorf("%q is not an amount of memory: give bytes or a number with a suffix, such as "+
			"512MiB or 2GB", text)
	}
	*b = Bytes(x)
	return nil
}

// String is the amount in the largest binary unit that leaves a number of one
// or more, with at most one decimal: "1.5 GiB".
func (b Bytes) String() string {
	for _, u := range []struct {
		name string
		size Bytes
	}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}} {
		if b >= u.size {
			return strings.TrimSuffix(strconv.FormatFloat(float64(b)/float64(u.size), 'f', 1, 64), ".0") + " " + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + " B"
}
