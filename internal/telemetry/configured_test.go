package telemetry

import "testing"

// What the pages of real engines say of how they were started; a page that says
// nothing, or nonsense, is none.
func TestReadConfigured(t *testing.T) {
	for name, want := range map[string]Configured{
		"vllm-0.25":     {Engine: VLLM, KVTokens: 896912, BlockSize: 16},
		"sglang-0.5.15": {Engine: SGLang, KVTokens: 857665, BlockSize: 1, Busy: 8},
	} {
		if got, ok := ReadConfigured([]byte(real(t, name))); !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if got, ok := ReadConfigured([]byte(real(t, "dynamo-1.6.1-frontend"))); ok {
		t.Errorf("a frontend: %+v", got)
	}
	odd := `vllm:cache_config_info{block_size="None",num_gpu_blocks="-3"} 1` + "\nsglang:page_size NaN\n"
	if got, ok := ReadConfigured([]byte(odd)); !ok || got.KVTokens != 0 || got.BlockSize != 0 {
		t.Errorf("odd: %+v, %v", got, ok)
	}
	if _, ok := ReadConfigured([]byte("vllm:cache_config_info{ 1\n")); ok {
		t.Error("a broken page is believed")
	}
}
