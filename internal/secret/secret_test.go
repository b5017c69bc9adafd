package secret

import (
	"slices"
	"strings"
	"testing"
)

// Headers are secret unless they are known to be harmless, in every way of
// giving them.
func TestHeaders(t *testing.T) {
	for _, name := range []string{"X-Master-Key", "X-LiteLLM-Key", "X-Pass", "X-JWT", "Authorization",
		"X-Team", "Cookie"} {
		for _, form := range [][]string{{"-H", name + ": pw1"}, {"-H" + name + ":pw1"}, {"--header=" + name + ": pw1"},
			{"--header", name + ":pw1"},
			{"-qH" + name + ": pw1"}, {"-H=" + name + ": pw1"}} {
			if got := strings.Join(New().Args(form), " "); strings.Contains(got, "pw1") ||
				!strings.Contains(got, name) {
				t.Errorf("%q gives %q", form, got)
			}
			if got := InArgs(form).Text("400 Bad Request: " + name + " = pw1 is wrong"); strings.Contains(got, "pw1") {
				t.Errorf("%q does not know its value: %s", form, got)
			}
		}
	}
	for _, name := range []string{"Accept", "content-type", "User-Agent", "traceparent", "X-Request-ID"} {
		if got := New().HeaderLine(name + ": seven"); got != name+": seven" {
			t.Errorf("%q", got)
		}
	}
	if got := New().HeaderLine("hunter2 without a colon"); got != Redacted {
		t.Errorf("a malformed header is shown: %q", got)
	}
}

// A header's value is found wherever it stands, its name alone is no secret.
func TestWithHeaders(t *testing.T) {
	r := New("sk-known-key").WithHeaders(map[string][]string{
		"X-Pass": {"pw", "long-password"}, "X-Model": {"the-model"}, "Accept": {"application/json"}}, "the-model")
	for in, want := range map[string]string{
		"key long-password or sk-known-key": "key <redacted> or <redacted>",
		`{"x-pass":"pw","a":"b"}`:           `{"x-pass":"<redacted>","a":"b"}`,
		"the X-Pass header is missing":      "the X-Pass header is missing",
		"the-model takes application/json":  "the-model takes application/json",
		"password pw and my-x-pass-word":    "password pw and my-x-pass-word",
	} {
		// Quotes around a value go with it.
		if got := strings.ReplaceAll(r.Text(in), `:<redacted>`, `:"<redacted>"`); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

// What a malformed command line says is known before it is parsed.
func TestInArgs(t *testing.T) {
	for _, args := range [][]string{
		{"run", "-H", "X-Pass:", "hunter22x", "--model", "m"},
		{"run", "--api-key=hunter22x"},
		{"run", "--api-key", "hunter22x"},
		{"run", "-H", "hunter22x"},
	} {
		if got := InArgs(args).Text("unexpected argument hunter22x"); strings.Contains(got, "hunter22x") {
			t.Errorf("%q: %s", args, got)
		}
	}
	if got := InArgs([]string{"run", "--model", "a-model"}).Text("a-model"); got != "a-model" {
		t.Error(got)
	}
}

// Parameters of an address are secret unless they are known to be harmless.
func TestQuery(t *testing.T) {
	for in, want := range map[string]string{
		"http://h/p?api-version=2024-10-21&k=x#f": "http://h/p?api-version=2024-10-21&k=<redacted>#f",
		"http://h/p?code=hunter22&k=x":            "http://h/p?code=<redacted>&k=<redacted>",
		"GET /p?x-pass=pw HTTP/1.1":               "GET /p?x-pass=<redacted> HTTP/1.1",
		"http://h/p?Model=m&empty=":               "http://h/p?Model=m&empty=",
		"is it so? a=1 && b=2":                    "is it so? a=1 && b=2",
		"http://h/p?code=<redacted>":              "http://h/p?code=<redacted>",
	} {
		if got := New().Text(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestHeaderOption(t *testing.T) {
	for a, want := range map[string][]string{
		"-H": {"", ""}, "-HA: b": {"-H", "A: b"}, "--header=A:b": {"--header=", "A:b"}, "--headers": {"", ""},
		"-qHA:b": {"-qH", "A:b"}, "-5H": {"", ""}, "text": {"", ""}, "": {"", ""},
	} {
		head, line := headerOption(a)
		if !slices.Equal([]string{head, line}, want) {
			t.Errorf("%q: %q %q", a, head, line)
		}
	}
}

// The words that are looked for before a pattern is tried leave none out.
func TestWordsOfPatterns(t *testing.T) {
	for _, s := range []string{"a api-key=b", "x Api_Key: b", "passwd=b", "PASSWORD: b", "my-secret: b",
		"credentials=b", "Cookie: b", "signature=b",
		"subscription-key: b", "functions-key: b", "sas-key: b", "access_key=b", "private-key=b", "auth-key=b",
		"auth_token: b", "hf-token=b",
		"Proxy-Authorization: b", "--api-key b", "http://u:b@h/", "http://h/?sig=b", "key sk-bbbbbbbb", "hf_bbbbbbbb",
		"ghp_bbbbbbbb", "gho_bbbbbbbb",
		"github_pat_bbbbbbbb", "nvapi-bbbbbbbb", "xoxb-bbbbbbbb", "AKIAbbbbbbbb", "AIzabbbbbbbb", "eyJb.b.b",
		"Bearer bbbbbb", "BASIC bbbbbb"} {
		if got := New().Text("text " + s); !strings.Contains(got, Redacted) {
			t.Errorf("%q stays %q", s, got)
		}
	}
}

func BenchmarkText(b *testing.B) {
	r := New("sk-0123456789").WithHeaders(map[string][]string{"X-Pass": {"hunter22"}})
	for name, unit := range map[string]string{"plain": "Internal error: the model is busy. ",
		"tokens": "max_tokens: 7 is above the limit. "} {
		text := strings.Repeat(unit, 60)
		b.Run(name, func(b *testing.B) {
			for range b.N {
				r.Text(text)
			}
		})
	}
}
