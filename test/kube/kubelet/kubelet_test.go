package kubelet

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestMounts(t *testing.T) {
	m := mounts{{"/data", "/host/claim"}, {"/etc/hub", "/host/hub"}, {"/host", "/elsewhere"}}
	for text, want := range map[string]string{
		"/data":              "/host/claim",
		"/data/x":            "/host/claim/x",
		"--dir=/data/x":      "--dir=/host/claim/x",
		"--dir=/data":        "--dir=/host/claim",
		"/database":          "/database",
		"/a/data":            "/a/data",
		"--config=/etc/hub":  "--config=/host/hub",
		"http://host/data/x": "http://host/data/x",
	} {
		if got := m.replace(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestLogOptions(t *testing.T) {
	log := newLines()
	for i := range 5 {
		log.add(fmt.Sprint("line ", i))
	}
	log.close()
	for query, want := range map[string]string{
		"":                                    "line 0\nline 1\nline 2\nline 3\nline 4\n",
		"follow=true":                         "line 0\nline 1\nline 2\nline 3\nline 4\n",
		"tailLines=2":                         "line 3\nline 4\n",
		"tailLines=0":                         "",
		"tailLines=9&limitBytes=9":            "line 0\nli",
		"sinceTime=2999-01-01T00:00:00Z":      "",
		"sinceSeconds=3600&tailLines=1":       "line 4\n",
		"sinceTime=2000-01-01T00:00:00.5Z":    "line 0\nline 1\nline 2\nline 3\nline 4\n",
		"tailLines=1&timestamps=true#stamped": time.Now().UTC().Format("2006-01-02T") + "* line 4\n",
	} {
		query, _, stamped := strings.Cut(query, "#")
		o, err := parseLogOptions(httptest.NewRequest("GET", "/containerLogs/a/b/c?"+query, nil))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		w := httptest.NewRecorder()
		o.copy(t.Context(), w, log)
		got := w.Body.String()
		if day, rest, found := strings.Cut(got, "T"); stamped && found {
			_, text, _ := strings.Cut(rest, " ")
			got = day + "T* " + text
		}
		if got != want {
			t.Errorf("%s gives %q, want %q", query, got, want)
		}
	}
	if _, err := parseLogOptions(httptest.NewRequest("GET", "/containerLogs/a/b/c?"+
		url.Values{"stream": {"Stderr"}}.Encode(), nil)); err == nil {
		t.Error("an option that is not played is taken")
	}
}

// A follower sees lines as they come, and the end.
func TestFollow(t *testing.T) {
	log := newLines()
	log.add("before")
	got := make(chan string)
	done := make(chan error)
	go func() {
		done <- log.read(t.Context(), -1, true, func(l line) error { got <- l.text; return nil })
	}()
	if s := <-got; s != "before" {
		t.Errorf("first comes %q", s)
	}
	log.add("after")
	if s := <-got; s != "after" {
		t.Errorf("then comes %q", s)
	}
	log.close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A program's output is its log, its status that of the container, and its
// process group is gone when it is stopped.
func TestProgram(t *testing.T) {
	for _, test := range []struct {
		name    string
		program Program
		want    end
		log     string
	}{
		{"ends well", Program{Log: []string{"first"}, Command: []string{"sh", "-c", "echo second"}},
			end{0, "Completed"}, "first\nsecond\n"},
		{"fails", Program{Command: []string{"sh", "-c", "echo no >&2; exit 3"}}, end{3, "Error"}, "no\n"},
		{"is killed", Program{Command: []string{"sh", "-c", "kill -9 $$"}}, end{137, "Error"}, ""},
		{"is not there", Program{Command: []string{"/nonexistent/program"}}, end{128, "StartError"}, "*no such file*"},
		{"dies by itself", Program{Exit: &Exit{Code: 137, Reason: "OOMKilled"}}, end{137, "OOMKilled"}, ""},
		{"dies with a process", Program{Command: []string{"sleep", "60"}, Exit: &Exit{Code: 1, Reason: "Error"}},
			end{1, "Error"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := newLines()
			got, err := test.program.run(t.Context(), nil, t.TempDir(), log, func(bool) {}, func(int) {})
			if err != nil || got != test.want {
				t.Errorf("it ends with %v (%v), want %v", got, err, test.want)
			}
			var text strings.Builder
			all, _, _ := log.from(0)
			for _, l := range all {
				text.WriteString(l.text + "\n")
			}
			part, loose := strings.CutPrefix(test.log, "*")
			if part = strings.TrimSuffix(part, "*"); loose && !strings.Contains(text.String(), part) ||
				!loose && text.String() != test.log {
				t.Errorf("its log is %q, want %q", text.String(), test.log)
			}
		})
	}
}

func TestProgramStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	running := 0
	p := Program{Command: []string{"sh", "-c", "sleep 60 & wait"}}
	_, err := p.run(ctx, nil, t.TempDir(), newLines(), func(on bool) {
		if on {
			running++
		} else {
			running--
		}
	}, func(int) { cancel() })
	if err != errStopped {
		t.Errorf("it ended with %v", err)
	}
	if running != 0 {
		t.Error("its process is said to run")
	}
}
