package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// action is deploy/ci/action.yml as GitHub reads it.
type action struct {
	Inputs map[string]struct {
		Default  string `json:"default"`
		Required bool   `json:"required"`
	} `json:"inputs"`
	Runs struct {
		Using string `json:"using"`
		Steps []struct {
			Shell string            `json:"shell"`
			Env   map[string]string `json:"env"`
			Run   string            `json:"run"`
		} `json:"steps"`
	} `json:"runs"`
}

// The step of the action hands every gate over, fails as compare does, and writes the
// summary either way. A script stands for headway, whose own part scripts of cmd/headway
// test.
func TestCIAction(t *testing.T) {
	text, err := os.ReadFile("ci/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil || a.Runs.Using != "composite" || len(a.Runs.Steps) != 1 {
		t.Fatalf("%v, %+v", err, a)
	}
	step := a.Runs.Steps[0]
	for name, value := range step.Env {
		input := strings.TrimSuffix(strings.TrimPrefix(value, "${{ inputs."), " }}")
		if _, known := a.Inputs[input]; !known {
			t.Errorf("%s is %s, which is no input", name, value)
		}
	}
	shell, err := exec.LookPath(step.Shell)
	if err != nil {
		t.Skip("there is no bash")
	}
	for _, c := range []struct {
		gates, strict, code, args string
		want                      int
	}{
		{"ttft p99 < +5%\n\ngoodput > -5%\n", "false", "0",
			"compare|a b|c|--gate|ttft p99 < +5%|--gate|goodput > -5%|" +
				"--format|markdown|", 0},
		{"ttft p99 < +5%", "true", "5", "compare|a b|c|--gate|ttft p99 < +5%|--strict|--format|markdown|", 5},
		{"\n", "false", "0", "", 2},
	} {
		dir := t.TempDir()
		fake := "#!/bin/sh\nprintf '%s|' \"$@\"\nexit " + c.code + "\n"
		if err := os.WriteFile(filepath.Join(dir, "fake"), []byte(fake), 0o755); err != nil {
			t.Fatal(err)
		}
		run := exec.Command(shell, "-e", "-o", "pipefail", "-c", step.Run)
		run.Dir = dir
		run.Env = append(os.Environ(), "BASELINE=a b", "CANDIDATE=c", "GATES="+c.gates, "STRICT="+c.strict,
			"HEADWAY=./fake", "GITHUB_STEP_SUMMARY=summary.md")
		out, _ := run.CombinedOutput()
		summary, _ := os.ReadFile(filepath.Join(dir, "summary.md"))
		if got := run.ProcessState.ExitCode(); got != c.want || string(summary) != c.args {
			t.Errorf("%q: exit code %d, summary %q; want %d, %q\n%s", c.gates, got, summary, c.want, c.args, out)
		}
	}
}
