package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"headway/internal/model"
	"headway/internal/profile"
)

func TestCommandFill(t *testing.T) {
	values := map[string]string{"model": "a b", "port": "80", "tp": "4"}
	lists := map[string][]string{"mapping": {"--tp", "4"}, "caching": nil}
	for text, want := range map[string][]string{
		`serve {model} --port={port}`:               {"serve", "a b", "--port=80"},
		`x '{model} it' "q \"{tp}\" \n" \{ {{tp}}`:  {"x", "a b it", `q "4" \n`, "{", "{tp}"},
		"x {mapping} {caching} y":                   {"x", "--tp", "4", "y"},
		`x '{"a": {"b": 1}}' --n=`:                  {"x", `{"a": {"b": 1}}`, "--n="},
		"x ''\t''":                                  {"x", "", ""},
		`sh -c 'exec run --port {port} 2>&1 | cat'`: {"sh", "-c", "exec run --port 80 2>&1 | cat"},
	} {
		c, err := ParseCommand(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.fill(values, lists); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for text, says := range map[string]string{
		"":                   "it is empty",
		"x {prot} {mdoel}":   "{prot}, {mdoel}",
		"x --a={mapping}":    "stand alone",
		"x 'abc":             "not closed",
		`x \`:                "backslash",
		"x pre{caching}":     "stand alone",
		"vllm {served-name}": "",
	} {
		if _, err := ParseCommand(text); (err == nil) != (says == "") || err != nil &&
			!strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v does not say %q", text, err, says)
		}
	}
}

func TestDefaultCommands(t *testing.T) {
	for _, backend := range []string{"vllm", "sglang", "trtllm"} {
		c, err := ParseCommand(DefaultCommand(backend))
		if err != nil || !c.Asks("port") || !c.Asks("mapping") {
			t.Errorf("%s: %v", backend, err)
		}
		for _, kind := range []model.Kind{model.TP, model.TEP, model.DEP} {
			words := mappingWords(backend, model.Mapping{Kind: kind, Size: 4, Pipeline: 2})
			if none := backend == "trtllm" && kind == model.DEP; none != (len(words) == 0) {
				t.Errorf("%s %s: %q", backend, kind, words)
			}
		}
	}
	if DefaultCommand("tgi") != "" {
		t.Error("a backend that is not known has a command")
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add(`vllm serve {model} --x '{"a":1}' "{port}" {{ \'`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCommand(text)
		if err != nil {
			return
		}
		// What is written for a shell reads back as the same words.
		words := c.fill(map[string]string{"model": "m"}, nil)
		back, err := splitWords(shellWords(words))
		if err != nil || !slices.Equal(back, words) {
			t.Errorf("%q became %q (%v)", words, back, err)
		}
	})
}

func TestParseGPUs(t *testing.T) {
	for _, test := range []struct {
		text, visible string
		set           bool
		want, says    string
	}{
		{"2", "4,5,6", true, "4,5", ""},
		{"", "4,5,6", true, "4,5,6", ""},
		{"0,2", "4,5,6", true, "0,2", ""},
		{"GPU-1a,GPU-2b", "", false, "GPU-1a,GPU-2b", ""},
		{"7,", "", true, "7", ""},
		{"4", "0", true, "", "only 1 are visible"},
		{"0", "", true, "", "above zero"},
		{"-1", "", true, "", "above zero"},
		{"1,1", "", true, "", "twice"},
		{"-1,2", "", true, "", "no id"},
		{",", "", true, "", "names no GPU"},
		{"", "", true, "", "no GPU is known"},
		{"3", "", true, "0,1,2", ""},
	} {
		got, err := ParseGPUs(test.text, test.visible, test.set)
		if strings.Join(got, ",") != test.want || (err == nil) != (test.says == "") || err != nil &&
			!strings.Contains(err.Error(), test.says) {
			t.Errorf("%q of %q: %v, %v", test.text, test.visible, got, err)
		}
	}
}

// One that needs many GPUs is served in its turn, and one that gives up is
// not waited for.
func TestGPUPoolInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newGPUPool([]string{"a", "b", "c", "d"})
		first, err := p.take(t.Context(), 3)
		if err != nil || strings.Join(first, "") != "abc" {
			t.Fatal(first, err)
		}
		var order []string
		ask := func(name string, ctx context.Context, n int) {
			got, err := p.take(ctx, n)
			if err != nil {
				name += " gave up"
			}
			order = append(order, name+" "+strings.Join(got, ""))
		}
		impatient, cancel := context.WithCancel(t.Context())
		go ask("all", t.Context(), 4)
		synctest.Wait()
		go ask("impatient", impatient, 1)
		synctest.Wait()
		go ask("one", t.Context(), 1)
		synctest.Wait()
		cancel()
		synctest.Wait()
		p.put(first)
		synctest.Wait()
		p.put([]string{"a", "b", "c", "d"})
		synctest.Wait()
		if got, want := strings.Join(order, ", "), "impatient gave up , all abcd, one a"; got != want {
			t.Errorf("served %q, want %q", got, want)
		}
	})
}

func TestDiagnose(t *testing.T) {
	for _, test := range []struct {
		death  Death
		reason profile.Reason
		says   string
	}{
		{Death{Backend: "vllm", Log: []byte("x\ntorch.cuda.OutOfMemoryError: CUDA out of memory.\ny")},
			profile.ReasonMemory, "--gpu-memory-utilization"},
		{Death{Backend: "sglang",
			Log: []byte("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.")},
			profile.ReasonMemory, "--mem-fraction-static"},
		{Death{Backend: "trtllm", Log: []byte("[TRT-LLM] [E] cudaMallocAsync: cudaErrorMemoryAllocation")},
			profile.ReasonMemory, "free_gpu_memory_fraction"},
		{Death{Backend: "vllm", Log: []byte("ValueError: No available memory for the cache blocks. Try increasing")},
			profile.ReasonMemory, "--max-model-len"},
		{Death{Backend: "vllm",
			Log: []byte("ValueError: Free memory on device (70.1/79.1 GiB) on startup is less than desired GPU " +
				"memory utilization (0.95, 75 GiB)")}, profile.ReasonMemory, "nothing else"},
		{Death{Log: []byte("terminate called after throwing an instance of 'std::bad_alloc'")}, profile.ReasonMemory,
			"host's memory"},
		{Death{Killed: true, HostMemory: true, Log: []byte("fine")}, profile.ReasonMemory, "host's memory"},
		{Death{Killed: true, Log: []byte("fine")}, profile.ReasonCrash, "dmesg"},
		{Death{Log: []byte("KeyError: 'architectures'")}, profile.ReasonCrash, "log says more"},
		{Death{}, profile.ReasonCrash, "wrote no log"},
	} {
		e := test.death.Diagnose()
		if e.Reason != test.reason || !strings.Contains(e.Advice, test.says) {
			t.Errorf("%s: %q, advice %q", test.death.Log, e.Reason, e.Advice)
		}
	}
}

func TestLastLines(t *testing.T) {
	long := strings.Repeat("x", 10000)
	for _, test := range []struct{ log, want string }{
		{"a\nb\nc\n\n", "b\nc"}, {"", ""}, {"a", "a"}, {long, long[:4096]}, {"é" + long[:4095], long[:4095]},
	} {
		if got := lastLines([]byte(test.log), 2); got != test.want {
			t.Errorf("%.20q: got %.20q", test.log, got)
		}
	}
}
