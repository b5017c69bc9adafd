package settings

import (
	"errors"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, v := range []struct {
		before, now Settings
		want        string
	}{
		{Settings{"isl": "3", "proxy": ""}, Settings{"isl": "3", "max-lag": "null"}, ""},
		{Settings{"isl": "3", "osl": "1"}, Settings{"isl": "4", "osl": "1"}, ": --isl was 3 and is 4;"},
		{Settings{"isl": "3", "transport": "std"}, Settings{"isl": "3"}, "--transport was std and is not set"},
		{Settings{"Candidate": "TP=1", "a": "b"}, Settings{"Candidate": "TP=2", "a": "b"},
			": Candidate was TP=1 and is TP=2;"},
		{Settings{"Model": "m"}, Settings{"model": "m"}, "another version"},
		{nil, Settings{"isl": "3"}, "--isl was not set and is 3"},
	} {
		err := Compare("x", v.before, v.now)
		if v.want == "" {
			if err != nil {
				t.Errorf("%v and %v: %v", v.before, v.now, err)
			}
			continue
		}
		if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%v and %v: %v, want %q", v.before, v.now, err, v.want)
		}
	}
}

func TestRead(t *testing.T) {
	s, err := Read([]byte(`{"a":1,"b":"x","c":null,"Settings":{"isl":"3"}}`))
	if err != nil || s["a"] != "1" || s["b"] != "x" || s["isl"] != "3" || len(s) != 4 {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Read([]byte(`[1]`)); err == nil {
		t.Error("a list is no settings")
	}
}
