package plane

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// bin is the folder that build.sh made.
func bin(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TEST_KUBE_BIN")
	if dir == "" {
		t.Skip("TEST_KUBE_BIN is not set; make test-kube sets it")
	}
	return dir
}

func TestPlane(t *testing.T) {
	start := time.Now()
	p, err := Start(t.Context(), Config{Bin: bin(t), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ready after %v", time.Since(start))
	pids := p.Processes()
	if len(pids) != 4 {
		t.Errorf("%d programs run, want 4: %v", len(pids), pids)
	}
	admin := kubernetes.NewForConfigOrDie(p.Rest(Admin))
	if _, err := admin.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	stranger := kubernetes.NewForConfigOrDie(p.RestToken("nobody's"))
	if _, err := stranger.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("a token that nobody issued is taken")
	}
	if err := p.RestartAPI(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if got := p.Processes()["kube-apiserver"]; got == pids["kube-apiserver"] {
		t.Error("the API server was not restarted")
	}
	if _, err := admin.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	for name, pid := range p.Processes() {
		if err := syscall.Kill(-pid, 0); err != syscall.ESRCH {
			t.Errorf("%s (%d) is still there: %v", name, pid, err)
		}
	}
}

// A control plane that cannot start says why and leaves nothing.
func TestNoPrograms(t *testing.T) {
	_, err := Start(context.Background(), Config{Bin: t.TempDir(), Dir: t.TempDir()})
	if err == nil {
		t.Fatal("started without programs")
	}
	t.Log(err)
}
