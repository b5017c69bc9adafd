package calibrate

import "testing"

func TestBusySeconds(t *testing.T) {
	for stat, want := range map[string]float64{
		"cpu  100 200 300 4000 5000 60 70 80 90 11\ncpu0 1 2 3\n": 8.1,
		"cpu  1 2 3\n":                0,
		"cpu  1 2 x 4 5 6 7 8 9 10\n": 0,
		"intr 1 2 3 4 5 6 7 8 9 10\n": 0,
		"":                            0,
	} {
		if got := busySeconds(stat); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%q: %v, want %v", stat, got, want)
		}
	}
	if hostSeconds() <= 0 {
		t.Error("this machine has done nothing yet")
	}
}
