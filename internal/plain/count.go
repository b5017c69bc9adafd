package plain

import "strconv"

// HowMany is a number and the word for what it counts.
func HowMany(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + several
}
