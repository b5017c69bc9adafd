package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"headway/internal/cli"
)

// The arguments of the Jobs in deploy/ are those of commands that there are.
func TestDeployArguments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../deploy/*/job.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var job struct {
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		}
		if err := yaml.Unmarshal(data, &job); err != nil {
			t.Fatal(err)
		}
		args := job.Spec.Template.Spec.Containers[0].Args
		a := cli.App{Args: append([]string{"headway"}, args...), Stdout: io.Discard, Stderr: io.Discard,
			Notes: &cli.Notes{W: io.Discard}, Grammar: commands()}
		if v, _, err := a.Parse(); err != nil || v == nil {
			t.Errorf("%s: headway %s: %v", file, strings.Join(args, " "), err)
		}
		a.Args = append(a.Args, "--no-such-option")
		if _, _, err := a.Parse(); err == nil {
			t.Errorf("%s: an option that there is not was taken", file)
		}
	}
}
