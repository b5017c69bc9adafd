package supply

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func built() *debug.BuildInfo {
	return &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: "headway"}, Settings: []debug.BuildSetting{
		{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "GOOS", Value: "linux"},
		{Key: "-trimpath", Value: "true"}},
		Deps: []*debug.Module{
			{Path: "sigs.k8s.io/yaml", Version: "v1.6.0", Sum: "h1:abc="},
			{Path: "git.sr.ht/~sbinet/gg", Version: "v0.7.0", Sum: "h1:def="},
			{Path: "example.com/old", Version: "v1.0.0",
				Replace: &debug.Module{Path: "example.com/new", Version: "v1.0.0+incompatible"}},
		}}
}

func TestSBOM(t *testing.T) {
	known := []Module{{"sigs.k8s.io/yaml", "v1.6.0", "Apache-2.0 AND MIT"}, {"git.sr.ht/~sbinet/gg", "v0.7.0", "MIT"},
		{StandardLibrary, "-", "BSD-3-Clause"}}
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := WriteSBOM(w, built(), "0.1.0", known); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("twice the same binary gives other bytes")
	}
	path := filepath.Join("testdata", "sbom.json")
	if *update {
		if err := os.WriteFile(path, a.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), a.String()); d != "" {
		t.Errorf("(-want +got, -update rewrites it)\n%s", d)
	}
	if !json.Valid(a.Bytes()) || bytes.Contains(a.Bytes(), []byte("2026-01-02")) {
		t.Errorf("not JSON, or with a time:\n%s", a.String())
	}
	if err := WriteSBOM(&a, nil, "0.1.0", known); err == nil {
		t.Error("a binary without build information has a list")
	}
}

func TestParseNotice(t *testing.T) {
	got, err := ParseNotice("headway\n\nText.\n\n  a.b/c v1 MIT\n  d v2 MIT AND OFL-1.1\n\nNotice of d:\n\n  " +
		"indented words of it, many\n")
	if d := cmp.Diff([]Module{{"a.b/c", "v1", "MIT"}, {"d", "v2", "MIT AND OFL-1.1"}}, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	for _, bad := range []string{"", "  a v1\n"} {
		if _, err := ParseNotice(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Each way a licence is worded is told by its words.
func TestIdentify(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted, free of\ncharge, to any person " +
			"obtaining a copy": "[MIT]",
		"Redistributions in binary form must reproduce the above " +
			"copyright notice": "[BSD-2-Clause]",
		"  *  Redistributions in binary form must reproduce the above copyright; may be used to endorse or " +
			"promote products": "[BSD-3-Clause]",
		"                                 Apache License\n                           Version 2.0, " +
			"January 2004": "[Apache-2.0]",
		"All rights reserved": "[]",
	} {
		if got := "[" + join(identify(text)) + "]"; got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func join(list []string) string {
	s := ""
	for i, x := range list {
		if i > 0 {
			s += " "
		}
		s += x
	}
	return s
}
