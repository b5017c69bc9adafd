package chart

import (
	"math"
	"strconv"
	"strings"

	"headway/internal/plain"
)

// Outside these magnitudes a number is written with an exponent, since its
// zeros could not be counted at a glance.
const (
	tiny = 1e-6
	huge = 1e12
)

// number writes v with so many decimals and with commas between thousands.
func number(v float64, decimals int) string {
	size := math.Abs(v)
	if size >= huge || decimals > 6 {
		return exponent(strconv.FormatFloat(v, 'e', -1, 64), v)
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return grouped(s)
}

// shortest writes v with as many digits as it takes to tell it from others,
// fifteen at most.
func shortest(v float64) string {
	size := math.Abs(v)
	if size >= huge || size < tiny && v != 0 {
		return exponent(strconv.FormatFloat(v, 'e', -1, 64), v)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		rounded = v
	}
	return grouped(strconv.FormatFloat(rounded, 'f', -1, 64))
}

// exponent tidies 1.0000000000000001e-07 into 1e-7.
func exponent(s string, v float64) string {
	if v == 0 {
		return "0"
	}
	if long := strconv.FormatFloat(v, 'e', 6, 64); len(long) < len(s) {
		s = long
	}
	mantissa, exp, _ := strings.Cut(s, "e")
	if rest, ok := strings.CutPrefix(mantissa, "-"); ok {
		mantissa = "−" + rest
	}
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	sign := ""
	if exp[0] == '-' {
		sign = "-"
	}
	return mantissa + "e" + sign + strings.TrimLeft(exp[1:], "0")
}

// grouped puts commas between the thousands of a decimal number and a true
// minus sign before it.
func grouped(s string) string { return strings.Replace(plain.Grouped(s), "-", "−", 1) }

// decimalsOf is how many decimals multiples of a nice step need: 0 for 50, 1
// for 2.5, 2 for 0.05.
func decimalsOf(step float64) int {
	for decimals := 0; decimals <= 6; decimals++ {
		scaled := step * math.Pow(10, float64(decimals))
		if scaled >= 1-1e-9 && math.Abs(scaled-math.Round(scaled)) < 1e-6 {
			return decimals
		}
	}
	return 7
}
