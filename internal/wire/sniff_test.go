package wire

import "testing"

func TestLooksLikeEvents(t *testing.T) {
	for in, want := range map[string][2]bool{
		"":                         {false, false},
		"\n\r\n":                   {false, false},
		"\xef\xbb":                 {false, false},
		"\xef\xbb\xbf":             {false, false},
		"\xef\xbb\xbf\ndata: x":    {true, true},
		"d":                        {false, false},
		"data":                     {false, false},
		"data:":                    {true, true},
		"retry:1":                  {true, true},
		"id: 1\n":                  {true, true},
		"event: error\n":           {true, true},
		": ping":                   {true, true},
		"data\n":                   {false, true},
		"datum: 1":                 {false, true},
		" data: 1":                 {false, true},
		`{"data": 1}`:              {false, true},
		"<html>":                   {false, true},
		"Internal Server Error: x": {false, true},
	} {
		if events, sure := LooksLikeEvents([]byte(in)); events != want[0] || sure != want[1] {
			t.Errorf("%q: events %v, sure %v, want %v", in, events, sure, want)
		}
	}
}
