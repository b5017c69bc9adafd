package kube

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/bound"
	"headway/internal/deploy/dgd"
)

func TestMissingRightsAllAtOnce(t *testing.T) {
	f := newFakeAPI(t)
	f.denied = map[string]bool{"create " + graphs: true, "get pods/log": true, "create pods/portforward": true}
	doc := must(dgd.Default("vllm"))
	doc = must(doc.WithModel("vllm", dgd.Model{Path: "m"}))
	cfg := Config{Cluster: f.cluster(), Document: doc, Backend: "vllm", GPUsPerNode: 8, KVTokens: 1}
	cfg.Endpoint.Client.Models = []string{"m"}
	_, err := New(t.Context(), cfg)
	for _, s := range []string{"create dynamographdeployments.nvidia.com", "get pods/log", "create pods/portforward",
		"namespace ns"} {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("%q is not in %v", s, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "list pods") {
		t.Errorf("a right that is there is said to be missing: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	f := newFakeAPI(t)
	c := f.cluster()
	f.server.Close()
	begun := time.Now()
	if err := c.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), "kubeconfig") ||
		time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestCleanup(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, ledger := testBench(t, f, nil)
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	name := f.names(graphs)[0]
	found, err := b.cfg.Cluster.Cleanup(t.Context(), false, false)
	if err != nil || len(found) != 1 || found[0].Removed || found[0].Owner != ledger.Owner() {
		t.Errorf("a live process's deployment: %+v, %v", found, err)
	}
	f.change(graphs, name,
		func(o map[string]any) { meta(o)["annotations"].(map[string]any)[noteStart] = "another boot/1" })
	found, err = b.cfg.Cluster.Cleanup(t.Context(), false, false)
	if err != nil || len(found) != 1 || !found[0].Removed || found[0].Candidate != "decode_4gpus_TP4" {
		t.Errorf("a dead process's deployment: %+v, %v", found, err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestConnect(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one", `{"current-context": "a", "clusters": [{"name": "k", "cluster": {"server": "http://one:1"}}],
		"contexts": [{"name": "a", "context": {"cluster": "k", "namespace": "mine"}}, {"name": "b", "context": {"cluster": "j"}}]}`)
	two := write("two", `{"clusters": [{"name": "j", "cluster": {"server": "http://two:2"}}]}`)
	both := one + string(os.PathListSeparator) + two
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for _, test := range []struct {
		access                  Access
		env, server, ns, inside string
	}{
		{Access{Kubeconfig: one}, "", "http://one:1", "mine", "a"},
		{Access{Kubeconfig: one, Namespace: "other"}, two, "http://one:1", "other", "a"},
		{Access{Context: "b"}, both, "http://two:2", "default", "b"},
		{Access{Kubeconfig: both, Context: "b"}, "", "http://two:2", "default", "b"},
	} {
		t.Setenv("KUBECONFIG", test.env)
		c, err := Connect(test.access)
		if err != nil || c.Server != test.server || c.Namespace != test.ns || c.Context != test.inside || c.Inside {
			t.Errorf("%+v: %+v, %v", test.access, c, err)
		}
		if want := cmp.Or(test.access.Kubeconfig, test.env); err == nil && c.Kubeconfig != want {
			t.Errorf("%+v: the list would keep %q, not %q", test.access, c.Kubeconfig, want)
		}
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "absent"))
	for _, a := range []Access{{}, {Kubeconfig: filepath.Join(dir, "nothing")}, {Kubeconfig: one, Context: "c"},
		{Kubeconfig: write("bad", "{")}} {
		if _, err := Connect(a); err == nil || !strings.Contains(err.Error(), "kubeconfig") {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestOwnerFrom(t *testing.T) {
	env := map[string]string{"DGDR_NAME": "r", "DGDR_NAMESPACE": "ns", "DGDR_UID": "u"}
	get := func(name string) string { return env[name] }
	if o := OwnerFrom(get, "nvidia.com/v1beta1", "ns"); o == nil || o.Name != "r" || o.UID != "u" ||
		o.Kind != "DynamoGraphDeploymentRequest" {
		t.Errorf("got %+v", o)
	}
	if o := OwnerFrom(get, "nvidia.com/v1beta1", "elsewhere"); o != nil {
		t.Errorf("an owner in another namespace: %+v", o)
	}
	delete(env, "DGDR_UID")
	if o := OwnerFrom(get, "nvidia.com/v1beta1", "ns"); o != nil {
		t.Errorf("an owner without a UID: %+v", o)
	}
}

func FuzzCopyLines(f *testing.F) {
	f.Add("2026-01-01T00:00:01Z a\n2026-01-01T00:00:02Z b\nno stamp\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, seconds uint8) {
		out, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = out.Close() }() // the test's own
		last := time.Date(2026, 1, 1, 0, 0, int(seconds%60), 0, time.UTC)
		end, err := copyLines(out, strings.NewReader(text), last)
		info, statErr := out.Stat()
		if err != nil || statErr != nil || info.Size() > int64(len(text)) {
			t.Errorf("%v, %v, %d bytes of %d", err, statErr, info.Size(), len(text))
		}
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		copied, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		// Every line that was copied is the end of one that was sent.
		for l := range strings.Lines(string(copied)) {
			if !strings.Contains(text, l) {
				t.Errorf("%q was not sent", l)
			}
		}
		if end.Before(last) {
			t.Errorf("the end %v lies before the beginning %v", end, last)
		}
	})
}

// Neither a configuration nor what one names is read without a bound.
func TestConnectTooLarge(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, int64(bound.Document)+1); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	paths := []string{large}
	for i, user := range []string{`{"tokenFile": "large"}`, `{"client-certificate": "large", "client-key": "large"}`} {
		path := filepath.Join(dir, string(rune('a'+i)))
		text := `{"current-context": "a", "clusters": [{"name": "k", "cluster": {"server": "https://one:1"}}],
			"contexts": [{"name": "a", "context": {"cluster": "k", "user": "u"}}], "users": [{"name": "u", "user": ` + user + `}]}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, path := range paths {
		for _, env := range []bool{false, true} {
			a := Access{Kubeconfig: path}
			t.Setenv("KUBECONFIG", "")
			if env {
				a.Kubeconfig = ""
				t.Setenv("KUBECONFIG", path)
			}
			if _, err := Connect(a); !errors.Is(err, bound.ErrTooLarge) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
