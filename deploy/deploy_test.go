// Package deploy_test holds the manifests of this folder against each other:
// what one names, another has.
package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"headway/internal/deploy/dgd"
)

type object = map[string]any

// read reads a YAML file with one object; unknown syntax and double keys fail.
func read(t *testing.T, file string) object {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := yaml.UnmarshalStrict(data, &o); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return o
}

// at follows keys and indices; a step that is not there fails.
func at(t *testing.T, v any, steps ...any) any {
	t.Helper()
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			m, ok := v.(object)
			if v, ok = m[step], ok && m[step] != nil; !ok {
				t.Fatalf("%v: %v is not there", steps, step)
			}
		case int:
			l, ok := v.([]any)
			if !ok || step >= len(l) {
				t.Fatalf("%v: item %d is not there", steps, step)
			}
			v = l[step]
		}
	}
	return v
}

func items(t *testing.T, v any, steps ...any) []any {
	t.Helper()
	l, ok := at(t, v, steps...).([]any)
	if !ok {
		t.Fatalf("%v is no list", steps)
	}
	return l
}

// manifests are the objects of a kustomization by kind and name. Each of its
// files is there, and each file of the folder is in it.
func manifests(t *testing.T, folder string) map[string]object {
	t.Helper()
	k := read(t, filepath.Join(folder, "kustomization.yaml"))
	listed := []string{"kustomization.yaml"}
	all := make(map[string]object)
	for _, name := range items(t, k, "resources") {
		listed = append(listed, name.(string))
		o := read(t, filepath.Join(folder, name.(string)))
		id := fmt.Sprint(o["kind"], "/", at(t, o, "metadata", "name"))
		if all[id] != nil {
			t.Errorf("%s is there twice", id)
		}
		all[id] = o
	}
	if k["configMapGenerator"] != nil {
		for _, g := range items(t, k, "configMapGenerator") {
			o := object{"kind": "ConfigMap"}
			for _, file := range items(t, g, "files") {
				listed = append(listed, file.(string))
				if _, err := os.Stat(filepath.Join(folder, file.(string))); err != nil {
					t.Error(err)
				}
				o[file.(string)] = true
			}
			all[fmt.Sprint("ConfigMap/", at(t, g, "name"))] = o
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(listed, filepath.Base(f)) {
			t.Errorf("%s is not in the kustomization", f)
		}
	}
	return all
}

// job is the Job of a folder, its pod and its container.
func job(t *testing.T, all map[string]object, name string) (job, pod, container object) {
	t.Helper()
	job = all["Job/"+name]
	pod = at(t, job, "spec", "template", "spec").(object)
	return job, pod, at(t, pod, "containers", 0).(object)
}

func TestJobs(t *testing.T) {
	for folder, name := range map[string]string{"benchmark": "headway-benchmark", "profiler": "headway-profiler"} {
		t.Run(folder, func(t *testing.T) {
			all := manifests(t, folder)
			job, pod, container := job(t, all, name)
			for _, want := range []struct {
				from  any
				steps []any
				value any
			}{
				{job, []any{"spec", "backoffLimit"}, 0.0},
				{job, []any{"spec", "ttlSecondsAfterFinished"}, 3600.0},
				{pod, []any{"restartPolicy"}, "Never"},
				{pod, []any{"securityContext", "runAsNonRoot"}, true},
				{pod, []any{"securityContext", "runAsUser"}, 1000.0},
				{container, []any{"securityContext", "allowPrivilegeEscalation"}, false},
				{container, []any{"resources", "limits", "memory"}, "16Gi"},
				{container, []any{"resources", "requests", "cpu"}, "4"},
			} {
				if got := at(t, want.from, want.steps...); got != want.value {
					t.Errorf("%v is %v, want %v", want.steps, got, want.value)
				}
			}
			volumes(t, all, pod, container)
			variables(t, container)
		})
	}
}

// volumes: each mount has a volume, each volume a claim or ConfigMap of ours,
// and what is written goes to a volume.
func volumes(t *testing.T, all map[string]object, pod, container object) {
	have := make(map[string]bool)
	for _, v := range items(t, pod, "volumes") {
		have[at(t, v, "name").(string)] = true
		volume := v.(object)
		if volume["persistentVolumeClaim"] != nil {
			if id := fmt.Sprint("PersistentVolumeClaim/",
				at(t, v, "persistentVolumeClaim", "claimName")); all[id] == nil {
				t.Errorf("%s is not in the folder", id)
			}
		}
		if volume["configMap"] != nil {
			if id := fmt.Sprint("ConfigMap/", at(t, v, "configMap", "name")); all[id] == nil {
				t.Errorf("%s is not in the folder", id)
			}
		}
	}
	mounts := make(map[string]bool)
	for _, m := range items(t, container, "volumeMounts") {
		if name := at(t, m, "name").(string); !have[name] {
			t.Errorf("the mount %s has no volume", name)
		}
		mounts[at(t, m, "mountPath").(string)] = true
	}
	for _, a := range items(t, container, "args") {
		_, value, _ := strings.Cut(a.(string), "=")
		if root := "/" + strings.Split(value+"/", "/")[min(1, strings.Count(value, "/"))]; strings.HasPrefix(value,
			"/") && !mounts[root] {
			t.Errorf("%s is on no volume", a)
		}
	}
}

// variables: each $(NAME) of an argument is set.
func variables(t *testing.T, container object) {
	set := make(map[string]bool)
	for _, e := range items(t, container, "env") {
		set[at(t, e, "name").(string)] = true
	}
	for _, a := range items(t, container, "args") {
		_, rest, used := strings.Cut(a.(string), "$(")
		name, _, _ := strings.Cut(rest, ")")
		if used && !set[name] {
			t.Errorf("%s: %s is not set", a, name)
		}
	}
}

// The profiler's account has the role, and the role has what a search does and
// nothing more.
func TestRights(t *testing.T) {
	all := manifests(t, "profiler")
	_, pod, _ := job(t, all, "headway-profiler")
	account := at(t, pod, "serviceAccountName")
	bound(t, all["RoleBinding/headway-profiler"], "Role", account)
	if all[fmt.Sprint("ServiceAccount/", account)] == nil {
		t.Errorf("the account %s is not in the folder", account)
	}
	wantRights(t, all["Role/headway-profiler"], []string{
		"nvidia.com/dynamographdeployments: create get list watch delete patch",
		"/pods: get list watch", "/pods/log: get", "/events: get list watch",
		"/services: get list watch", "/pods/portforward: create",
	})
	extra := manifests(t, filepath.Join("profiler", "cluster"))
	bound(t, extra["ClusterRoleBinding/headway-profiler"], "ClusterRole", account)
	wantRights(t, extra["ClusterRole/headway-profiler"], []string{
		"authorization.k8s.io/selfsubjectaccessreviews: create", "/nodes: get list",
	})
}

func bound(t *testing.T, binding object, kind string, account any) {
	t.Helper()
	if got := fmt.Sprint(at(t, binding, "roleRef", "kind"), at(t, binding, "roleRef", "name")); got != kind+
		"headway-profiler" {
		t.Errorf("the binding gives %s", got)
	}
	if got := at(t, binding, "subjects", 0, "name"); got != account {
		t.Errorf("the binding is for %s, and the Job runs as %s", got, account)
	}
}

func wantRights(t *testing.T, role object, want []string) {
	t.Helper()
	var got []string
	for _, r := range items(t, role, "rules") {
		var verbs []string
		for _, v := range items(t, r, "verbs") {
			verbs = append(verbs, v.(string))
		}
		for _, resource := range items(t, r, "resources") {
			got = append(got, fmt.Sprintf("%s/%s: %s", at(t, r, "apiGroups", 0), resource, strings.Join(verbs, " ")))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the rights of %v differ (-want +got):\n%s", at(t, role, "metadata", "name"), d)
	}
}

// What the profiler deploys fits the backend that its arguments name, and says
// of itself that its images are still to be set.
func TestProfilerDeployment(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("profiler", "disagg.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dgd.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	_, _, container := job(t, manifests(t, "profiler"), "headway-profiler")
	backend := ""
	for _, a := range items(t, container, "args") {
		if v, ok := strings.CutPrefix(a.(string), "--backend="); ok {
			backend = v
		}
	}
	if err := d.Check(backend); err != nil {
		t.Error(err)
	}
	if d.Deployable() == nil {
		t.Error("the placeholder images pass for images")
	}
}

// The image is what the Jobs expect: user 1000, headway as its entry point,
// state and results below the mounted folder.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FROM scratch\n", "CGO_ENABLED=0", "\nUSER 1000:1000\n",
		"\nENTRYPOINT [\"/headway\"]\n", "XDG_STATE_HOME=/data/",
		"COPY LICENSE NOTICE THIRD_PARTY_LICENSES /licenses/\n"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the Dockerfile has no %q", want)
		}
	}
}

// Images are pinned to what the registry says, a stage and scratch are not
// touched, and what is no digest is not written.
func TestPinImages(t *testing.T) {
	sha := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	const file = "FROM --platform=linux/amd64 golang:1.26 AS build\nRUN true\nFROM build AS more\nFROM " +
		"scratch\nFROM debian:13@sha256:old\n"
	for _, c := range []struct{ registry, want string }{
		{"#!/bin/sh\necho " + sha, "FROM --platform=linux/amd64 golang:1.26@" + sha + " AS build\nRUN true\nFROM " +
			"build AS more\nFROM scratch\nFROM debian:13@" + sha + "\n"},
		{"#!/bin/sh\necho not found", file},
		{"#!/bin/sh\nexit 1", file},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"Dockerfile": file, "crane": c.registry} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		pin := func(args ...string) error {
			cmd := exec.Command("./pin-images", args...)
			cmd.Env = append(os.Environ(), "DOCKERFILES="+filepath.Join(dir, "Dockerfile"),
				"PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			return cmd.Run()
		}
		if pin("--check") == nil {
			t.Error("an image by tag passes for pinned")
		}
		if err := pin(); (err == nil) != (c.want != file) {
			t.Errorf("with the registry %q: %v", c.registry, err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Errorf("with the registry %q (-want +got):\n%s", c.registry, d)
		}
		if err := pin("--check"); (err == nil) != (c.want != file) {
			t.Errorf("checked after the registry %q: %v", c.registry, err)
		}
	}
}
