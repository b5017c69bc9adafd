package doctor

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"headway/internal/deploy/kube"
)

// The page has every check, and no others.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	server, end := OfEndpoint(client("http://h"), flag)
	defer end()
	n := 0
	for _, s := range []Subject{server, OfHost(nil), OfNamespace(&kube.Cluster{}, flag), OfFolder("x", nil)} {
		for _, c := range s.Checks {
			n++
			if !strings.Contains(text, "\n| `"+c.Name+"` |") {
				t.Errorf("docs/doctor.md does not have the check %q", c.Name)
			}
		}
	}
	const statuses = 4
	if rows := strings.Count(text, "\n| `"); rows != n+statuses {
		t.Errorf("docs/doctor.md has %d checks, and there are %d", rows-statuses, n)
	}
	for _, says := range []string{"at most " + strconv.Itoa(mostRequests) + " completions", "within " +
		strconv.Itoa(wrongClock) + " s", strconv.Itoa(longTokens) + " tokens"} {
		if !strings.Contains(text, says) {
			t.Errorf("docs/doctor.md does not say %q", says)
		}
	}
}
