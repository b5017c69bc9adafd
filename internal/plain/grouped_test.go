package plain

import "testing"

func TestGrouped(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "-5": "-5", "999": "999", "1000": "1,000", "-1234567": "-1,234,567",
		"0.50": "0.50", "999.00": "999.00", "1000.00": "1,000.00", "123456.7890": "123,456.7890",
	} {
		if got := Grouped(number); got != want {
			t.Errorf("%s is %s, want %s", number, got, want)
		}
	}
}
