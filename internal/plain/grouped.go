package plain

import "strings"

// Grouped puts commas between the thousands of a decimal number, which may have
// a sign and a fraction: 1234.5 becomes 1,234.5.
func Grouped(number string) string {
	sign := number[:len(number)-len(strings.TrimPrefix(number, "-"))]
	whole, fraction, cut := strings.Cut(number[len(sign):], ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if cut {
		whole += "." + fraction
	}
	return sign + whole
}
