package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headway/metric"
	"headway/record"
)

func TestRedactText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain words stay", "plain words stay"},
		{"time_to_first_token:5000 inter_token_latency:100", "time_to_first_token:5000 inter_token_latency:100"},
		{"max_tokens: 256, output_tokens=7, tokenizer: builtin",
			"max_tokens: 256, output_tokens=7, tokenizer: builtin"},
		{"http://bob:pw@h:80/v1?a=1&v=2", "http://<redacted>@h:80/v1?a=<redacted>&v=2"},
		{"see http://host/users@example.com", "see http://host/users@example.com"},
		{"http://h/v1?api_key=abc&x=1#f", "http://h/v1?api_key=<redacted>&x=<redacted>#f"},
		{"http://h/v1?key=abc&sig=d%2Fe", "http://h/v1?key=<redacted>&sig=<redacted>"},
		{"Authorization: Bearer abc def", "Authorization: <redacted>"},
		{`{"Authorization":"Bearer abc","a":1}`, `{"Authorization":"<redacted>","a":1}`},
		{`{\"authorization\": \"Bearer abc\"}`, `{\"authorization\": \"<redacted>\"}`},
		{"'x-api-key': 'abc', b", "'x-api-key': '<redacted>', b"},
		{"--api-key abc --model m", "--api-key <redacted> --model m"},
		{"--api-key='a b' -m m", "--api-key='<redacted>' -m m"},
		{"HF_TOKEN=abc headway run", "HF_TOKEN=<redacted> headway run"},
		{"invalid key sk-proj-0123456789 given", "invalid key <redacted> given"},
		{"task-0123456789abc is a task", "task-0123456789abc is a task"},
		{"Bearer abcdef123 was refused", "<redacted> was refused"},
		{`"api_key": ""`, `"api_key": ""`},
		{"Unexpected token: missing brace", "Unexpected token: missing brace"},
		{`{"error":"unexpected token: '}' at 7"}`, `{"error":"unexpected token: '}' at 7"}`},
		{"the stop token: </s> came", "the stop token: </s> came"},
		{"your token: abc", "your token: <redacted>"},
		{"invalid token: abc", "invalid token: <redacted>"},
		{"unexpected api-token: abc", "unexpected api-token: <redacted>"},
	} {
		if got := (Redactor{}).Text(c.in); got != c.want {
			t.Errorf("Text(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestRedactArgs(t *testing.T) {
	args := []string{
		"run", "--api-key", "-starts with a dash", "-H", "X-Acme-Token: abc", "--header", "traceparent: 7",
		"--password=abc",
		"-u", "http://u:p@h", "--goodput", "time_to_first_token:100", "--extra-inputs", `{"api_key":"abc"}`,
		"--use-server-token-count",
	}
	want := []string{
		"run", "--api-key", "<redacted>", "-H", "X-Acme-Token: <redacted>", "--header", "traceparent: 7",
		"--password=<redacted>",
		"-u", "http://<redacted>@h", "--goodput", "time_to_first_token:100", "--extra-inputs",
		`{"api_key":"<redacted>"}`, "--use-server-token-count",
	}
	got := (Redactor{}).Args(args)
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	line := (Redactor{}).Command("headway", args)
	for _, part := range []string{"--api-key '<redacted>' ", "'X-Acme-Token: <redacted>'",
		"--goodput time_to_first_token:100"} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is not in %s", part, line)
		}
	}
}

func TestRedactJSON(t *testing.T) {
	in := `{"endpoint":{"api_key":"abc","headers":[["Authorization","x y"],["traceparent","7"]],` +
		`"url":"http://u:p@h"},` +
		`"header":[{"name":"X-Api-Key","value":"abc"}],"secrets":{"a":[1]},"password":null,"token":"",` +
		`"seed":18446744073709551615,"isl":0.10}`
	want := `{"endpoint":{"api_key":"<redacted>","headers":[["Authorization","<redacted>"],["traceparent","7"]],` +
		`"url":"http://<redacted>@h"},` +
		`"header":[{"name":"X-Api-Key","value":"<redacted>"}],"secrets":"<redacted>","password":null,"token":"",` +
		`"seed":18446744073709551615,"isl":0.10}`
	if got := string((Redactor{}).JSON(json.RawMessage(in))); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := string((Redactor{}).JSON(json.RawMessage(`{"api_key": "abc`))); !json.Valid([]byte(got)) ||
		strings.Contains(got, "abc") {
		t.Errorf("half of a JSON gives %s", got)
	}
}

// TestSecretsStayIn plants a secret in every place of a run, once known by its
// value and once by the place alone, and looks for it in every output.
func TestSecretsStayIn(t *testing.T) {
	chars := []rune("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_~")
	odd := append(slices.Clone(chars), '"', '\\', '/', '%', '+', '=', 'é')
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.Bool().Draw(t, "known")
		from := chars
		if known {
			from = odd
		}
		secret := "Zq7" + rapid.StringOfN(rapid.SampledFrom(from), 8, 30, -1).Draw(t, "secret")
		var secrets Redactor
		free := secret // where only a known value can be found
		if known {
			secrets = NewRedactor("Bearer " + secret)
		} else {
			free = "nothing"
		}
		config, err := json.Marshal(map[string]any{
			"api_key": secret, "headers": map[string]string{"Authorization": "Bearer " + secret},
			"list": []string{"X-Api-Key: " + secret}, "free": free,
			"nested": map[string]any{"hf_token": []string{secret}},
		})
		if err != nil {
			t.Fatal(err)
		}
		user := url.URL{Scheme: "http", Host: "h:1", User: url.UserPassword("bob", secret)}
		r := &Report{
			Secrets: secrets,
			Run: record.Run{
				Header: record.Header{
					Origin: origin, Config: config, URL: user.String(),
					Command: secrets.Command("headway",
						[]string{"run", "--api-key", secret, "-H", "Authorization: Bearer " + secret, "-u",
							user.String(), "--x", free}),
				},
				Trailer: record.Trailer{Aborted: "the server said: api-key=" + secret,
					Warnings: []record.Warning{{Code: "w", Text: user.String() + " " + free}}},
			},
			Result: &metric.Result{Failures: []metric.FailureCount{{Count: 1, Failure: record.Failure{
				Type: "E", Message: fmt.Sprintf(`{"x-api-key": %q, "m": %q}`, secret, free)}}}},
		}
		var b bytes.Buffer
		a := Aggregate{Runs: []*Report{r}}
		for name, write := range map[string]func() error{
			"json": func() error { return r.WriteJSON(&b) }, "csv": func() error { return r.WriteCSV(&b) },
			"console":   func() error { return r.WriteConsole(&b, ConsoleOptions{Width: 60}) },
			"levels":    func() error { return WriteLevels(&b, []Level{{[]*Report{r}}}, ConsoleOptions{Width: 60}) },
			"aggregate": func() error { return a.WriteJSON(&b) },
			"inputs": func() error {
				body, err := json.Marshal(map[string]string{"content": free})
				if err != nil {
					return err
				}
				in := NewInputs(&b, secrets)
				if err := in.Add("s", []json.RawMessage{body}); err != nil {
					return err
				}
				return in.Close()
			},
			"lines":   func() error { return takeSecret(&b, secrets, secret, user.String(), false) },
			"records": func() error { return takeSecret(&b, secrets, secret, user.String(), true) },
		} {
			b.Reset()
			if err := write(); err != nil {
				t.Fatal(name, err)
			}
			squeezed := strings.NewReplacer("\n", "", " ", "", "│", "").Replace(b.String())
			for _, form := range []string{secret, string(appendString(nil, secret)), url.QueryEscape(secret),
				url.UserPassword("", secret).String()} {
				if form = strings.Trim(form, `":`); strings.Contains(b.String(), form) ||
					strings.Contains(squeezed, form) {
					t.Fatalf("%s holds the secret %q as %q:\n%s", name, secret, form, b.String())
				}
			}
		}
	})
}

func takeSecret(b *bytes.Buffer, secrets Redactor, secret, address string, records bool) error {
	rec := &record.Record{Outcome: record.Failed, Start: 1, Done: 2, URL: address,
		Failure: &record.Failure{Message: "Authorization: Bearer " + secret}}
	if !records {
		l := NewLines(b, LineOptions{Clock: record.ClockAt(origin), Secrets: secrets})
		if err := l.Take(rec); err != nil {
			return err
		}
		return l.Flush()
	}
	w, err := record.NewWriter(b, record.Header{})
	if err != nil {
		return err
	}
	if err := secrets.Sink(w).Take(rec); err != nil {
		return err
	}
	return w.Close(record.Trailer{})
}

// FuzzRedact checks that redacting ends, changes nothing the second time, and
// leaves JSON JSON.
func FuzzRedact(f *testing.F) {
	f.Add(`--api-key 'a b' -H "Authorization: Bearer x" http://u:p@h?key=1`)
	f.Add(`{"a":{"api_key":["x"]},"b":"token=1"}`)
	f.Fuzz(func(t *testing.T, s string) {
		r := NewRedactor("hunter22")
		r.Text(s)
		if out := r.JSON(json.RawMessage(s)); !json.Valid(out) {
			t.Errorf("JSON(%q) is no JSON: %s", s, out)
		}
	})
}
