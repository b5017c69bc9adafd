package live

import "testing"

func TestContextIn(t *testing.T) {
	const list = `{"object":"list","data":[{"id":"a","max_model_len":4096},{"id":"b"},{"id":"c","max_model_len":-1}]}`
	for model, want := range map[string]int{"a": 4096, "b": 0, "c": 0, "d": 0} {
		if got := contextIn([]byte(list), model); got != want {
			t.Errorf("%s: %d", model, got)
		}
	}
	if contextIn([]byte(`{"data":7}`), "a") != 0 {
		t.Error("no list is believed")
	}
}
