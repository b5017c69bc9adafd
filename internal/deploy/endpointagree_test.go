package deploy

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/openai"
	"headway/internal/profile"
	"headway/record"
	"headway/workload"
)

// knowing is an endpoint over a simulated server that refuses other fields.
func knowing(t *testing.T, known cluster.KnownFields, client openai.Config, open bool) (e *Endpoint, asked func() int) {
	t.Helper()
	var log bytes.Buffer
	cfg, _ := simulated(t, true)
	srv, err := cluster.NewServer(cluster.ServerConfig{Cluster: &cfg, Known: known, Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client.URLs, client.Models = []string{"http://" + addr.String()}, []string{"simulated"}
	e, err = NewEndpoint(EndpointConfig{Client: client, Dir: t.TempDir(), OpenLength: open})
	if err != nil {
		t.Fatal(err)
	}
	asked = func() int {
		e.Close(context.Background())
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		return bytes.Count(log.Bytes(), []byte("\n"))
	}
	return e, asked
}

// What an engine refuses is left out of every request, and is said once of the
// points and in the files of every run; its probes are requests of nobody.
func TestEndpointLeavesOutWhatIsRefused(t *testing.T) {
	t.Parallel()
	without := cluster.Dynamo16()
	without[""] = slices.DeleteFunc(slices.Clone(without[""]), func(name string) bool {
		return name == "ignore_eos" || name == "min_tokens"
	})
	for _, tt := range []struct {
		name    string
		known   cluster.KnownFields
		open    bool
		refused bool
		probes  int
	}{
		{"all is taken", nil, false, false, 1},
		{"Dynamo 1.6", cluster.Dynamo16(), false, false, 1},
		{"both are refused", without, false, true, 2},
		{"open length", without, true, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, asked := knowing(t, tt.known, openai.Config{}, tt.open)
			told, ok := 0, 0
			for i, prepares := range []bool{true, false, false} {
				part := profile.Part{Section: "s", Point: "p", Run: string(rune('a' + i)), Prepares: prepares}
				part.Plan = workload.Plan{Requests: 2, Concurrency: 1, Source: workload.Synthetic{Key: workload.Key(i),
					Requests: 2, ISL: workload.Length{Mean: 30}, OSL: workload.Length{Mean: 5}}.Source()}
				ran, err := e.Run(t.Context(), part, sinkFunc(func(r *record.Record) error {
					if r.Outcome == record.OK && r.Usage["completion_tokens"] == 5 {
						ok++
					}
					return nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range ran.Warnings {
					if refusal(w) {
						told++
						if prepares || !strings.Contains(w.Text, "ignore_eos and min_tokens") ||
							!strings.Contains(w.Text, "Unsupported parameter(s)") {
							t.Errorf("%+v", w)
						}
					}
				}
			}
			inFiles := slices.ContainsFunc(e.cfg.Run.Warnings, refusal)
			if n := asked(); ok != 6 || n != 6+tt.probes || (told == 1) != tt.refused || inFiles != tt.refused {
				t.Errorf("%d of 6 answered, the server got %d requests, told %d times, in files %v", ok, n, told,
					inFiles)
			}
		})
	}
}

func refusal(w record.Warning) bool { return w.Code == "fields_refused" }

// What the user sets is sent as it is, and is not asked for; whether the server tells
// what it does with requests is.
func TestEndpointSendsWhatTheUserSets(t *testing.T) {
	t.Parallel()
	e, asked := knowing(t, nil, openai.Config{Extra: []byte(`{"ignore_eos":false,"min_tokens":2}`)}, false)
	if err := e.agree(t.Context()); err != nil || e.exact.Sent("ignore_eos") || e.exact.Sent("min_tokens") {
		t.Errorf("%v, %+v", err, e.exact)
	}
	if n := asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
