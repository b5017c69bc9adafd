package kube

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a search that was killed leaves behind is removed by hand, and not
// while somebody else's search runs there.
func (c *rig) testKilled(t *testing.T) {
	t.Parallel()
	s := c.search(t, "")
	p, _ := c.start(t, s)
	c.candidate(t, s, "prefill_1gpus_TP1", "")
	if err := syscall.Kill(p.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	left, err := c.graphs.Namespace(s.ns).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(left.Items) != 1 {
		t.Fatalf("%d objects are left (%v), want 1", len(left.Items), err)
	}
	other := *s
	other.out, other.args = filepath.Join(t.TempDir(), "out"), nil
	other.state = t.TempDir()
	running, out := c.start(t, &other)
	mine := c.candidate(t, &other, "prefill_2gpus_TP2", "")
	said := c.run(t, s, 0, "profile", "cleanup")
	if !strings.Contains(said, left.Items[0].GetName()) {
		t.Errorf("cleanup does not name %s:\n%s", left.Items[0].GetName(), said)
	}
	if strings.Contains(said, mine.GetName()) {
		t.Errorf("cleanup removed the object of a search that runs:\n%s", said)
	}
	if said = c.run(t, s, 0, "profile", "cleanup"); !strings.Contains(said, "nothing was left behind") {
		t.Errorf("a second cleanup says:\n%s", said)
	}
	ended(t, running, out, 0)
	c.empty(t, s.ns)
	other.measured(t, "prefill_1gpus_TP1", "prefill_2gpus_TP2", "decode_1gpus_TP1", "decode_2gpus_TP2")

	// The list on disk may be lost with its host: then the labels tell.
	s.out = filepath.Join(t.TempDir(), "out")
	p, _ = c.start(t, s)
	c.candidate(t, s, "prefill_1gpus_TP1", "")
	if err := syscall.Kill(p.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := os.RemoveAll(s.state); err != nil {
		t.Fatal(err)
	}
	c.run(t, s, 0, "profile", "cleanup", "--namespace", s.ns)
	c.empty(t, s.ns)

	// The next search sweeps by itself.
	s.out = filepath.Join(t.TempDir(), "out")
	p, _ = c.start(t, s)
	dead := c.candidate(t, s, "prefill_1gpus_TP1", "")
	if err := syscall.Kill(p.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if said := c.run(t, s, 0, append(s.command(), "--resume")...); !strings.Contains(said, dead.GetName()) {
		t.Errorf("the next search says nothing of %s:\n%s", dead.GetName(), said)
	}
	c.empty(t, s.ns)
}

// Ctrl-C leaves nothing on the cluster, and a folder that --resume goes on
// with.
func (c *rig) testInterrupted(t *testing.T) {
	t.Parallel()
	s := c.search(t, "")
	p, out := c.start(t, s)
	c.candidate(t, s, "prefill_2gpus_TP2", "successful")
	if err := syscall.Kill(p.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended(t, p, out, 130)
	c.empty(t, s.ns)
	before, err := os.Stat(filepath.Join(s.out, "prefill_1gpus_TP1", "outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	c.run(t, s, 0, append(s.command(), "--resume")...)
	c.empty(t, s.ns)
	s.measured(t, "prefill_1gpus_TP1", "prefill_2gpus_TP2", "decode_1gpus_TP1", "decode_2gpus_TP2")
	if after, err := os.Stat(filepath.Join(s.out, "prefill_1gpus_TP1", "outcome.json")); err != nil ||
		!after.ModTime().Equal(before.ModTime()) {
		t.Errorf("what was measured was measured again (%v)", err)
	}
}

// An account without rights is told all that is missing before anything is
// made.
func (c *rig) testRights(t *testing.T) {
	t.Parallel()
	s := c.search(t, "")
	s.kube = c.account(t, s.ns, "nobody")
	out := c.run(t, s, 1, s.command()...)
	for _, want := range []string{"create dynamographdeployments.nvidia.com", "watch dynamographdeployments.nvidia.com",
		"delete dynamographdeployments.nvidia.com",
		"list pods", "get pods/log", "create pods/portforward", s.ns} {
		if !strings.Contains(out, want) {
			t.Errorf("the error does not name %q:\n%s", want, out)
		}
	}
	c.empty(t, s.ns)
}

// account makes a ServiceAccount and returns a kubeconfig with its token.
func (c *rig) account(t *testing.T, ns, name string) string {
	t.Helper()
	accounts := c.Typed.CoreV1().ServiceAccounts(ns)
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}},
		metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := accounts.CreateToken(t.Context(), name, &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path, err := c.Plane.KubeconfigToken(ns+"-"+name, token.Status.Token, ns)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An API server that is not there is said within seconds.
func (c *rig) testUnreachable(t *testing.T) {
	t.Parallel()
	s := c.search(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "https://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.kube)
	if err != nil {
		t.Fatal(err)
	}
	s.kube = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(s.kube, bytes.ReplaceAll(b, []byte(c.Plane.Server()), []byte(closed)), 0o600); err != nil {
		t.Fatal(err)
	}
	out := c.run(t, s, 1, s.command()...)
	if !strings.Contains(out, closed) || !strings.Contains(out, "--kubeconfig") {
		t.Errorf("the error says neither where nor what to do:\n%s", out)
	}
}

// The API server is restarted while candidates are started, measured and
// removed. Nothing else may run beside this.
func (c *rig) testRestart(t *testing.T) {
	s := c.search(t, "", "--repeats", "3")
	p, out := c.start(t, s)
	for _, at := range []struct{ tag, state string }{{"prefill_2gpus_TP2", ""}, {"decode_2gpus_TP2", "successful"}} {
		c.candidate(t, s, at.tag, at.state)
		if err := c.Plane.RestartAPI(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		t.Logf("restarted at %s", at.tag)
	}
	ended(t, p, out, 0)
	c.empty(t, s.ns)
	var dead []string
	for _, tag := range []string{"prefill_1gpus_TP1", "prefill_2gpus_TP2", "decode_1gpus_TP1", "decode_2gpus_TP2"} {
		if o := s.outcome(t, tag); o.Status != "measured" {
			dead = append(dead, fmt.Sprintf("%s: %+v", tag, o))
		}
	}
	if dead != nil {
		t.Errorf("not measured: %s\n%s", strings.Join(dead, "\n"), out)
	}
}
