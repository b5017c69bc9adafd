package supply

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write NOTICE and THIRD_PARTY_LICENSES")

// targets are what a release is built for.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// linked is a module with the folders of its packages that are linked.
type linked struct {
	Module
	dir     string
	folders map[string]bool
	texts   []text
}

// text is a file of a licence, or a notice.
type text struct {
	name, body string
	ids        []string
	notice     bool
}

// NOTICE and the licences are those of what `go list` says is linked, for every
// target of a release.
func TestNoticeCurrent(t *testing.T) {
	modules := list(t)
	for name, want := range map[string]string{"NOTICE": notice(modules), "THIRD_PARTY_LICENSES": licenses(modules)} {
		path := filepath.Join("..", "..", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; write it with: go test ./internal/supply -update", err)
		}
		if string(got) != want {
			t.Errorf("%s is not what is linked; write it with: go test ./internal/supply -update", name)
		}
	}
}

// list asks go for the modules, and reads their licences.
func list(t *testing.T) []*linked {
	t.Helper()
	all := map[string]*linked{}
	for _, target := range targets {
		goos, arch, _ := strings.Cut(target, "/")
		cmd := exec.Command("go", "list", "-deps", "-f",
			"{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}\t{{.Dir}}", "./cmd/headway")
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", target, err)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
			f := strings.Split(line, "\t")
			if len(f) < 4 || f[0] == "headway" {
				continue // of the standard library, or our own
			}
			m := all[f[0]]
			if m == nil {
				m = &linked{Module: Module{Path: f[0], Version: f[1]}, dir: f[2], folders: map[string]bool{}}
				all[f[0]] = m
			}
			m.folders[f[3]] = true
		}
	}
	root := runtimeRoot(t)
	modules := []*linked{{Module: Module{Path: StandardLibrary, Version: "-"}, dir: root,
		folders: map[string]bool{root: true}}}
	for _, m := range all {
		modules = append(modules, m)
	}
	modules = append(modules, uPlot(t))
	slices.SortFunc(modules, func(a, b *linked) int { return cmp.Compare(a.Path, b.Path) })
	for _, m := range modules {
		m.read(t)
	}
	return modules
}

// uPlot is embedded for the pages of results; its version stands in its text.
func uPlot(t *testing.T) *linked {
	t.Helper()
	dir := filepath.Join("..", "page", "assets", "uplot")
	text, err := os.ReadFile(filepath.Join(dir, "uPlot.iife.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`leeoniya/uPlot \(v([0-9.]+)\)`).FindSubmatch(text)
	if version == nil {
		t.Fatal("uPlot's text does not say its version")
	}
	return &linked{Module: Module{Path: FromNPM + "uplot", Version: string(version[1])}, dir: dir,
		folders: map[string]bool{dir: true}}
}

func runtimeRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("where is Go's own licence? %v (%s)", err, runtime.Version())
	}
	return strings.TrimSpace(string(out))
}

// chosen are the licences that headway takes of modules which offer several.
var chosen = map[string]string{
	"github.com/golang/freetype": "licenses/ftl.txt", // or the GPL
}

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)([-._].*)?$`)

// read takes the licences beside the packages that are linked and in the folders
// above them, up to the module's own.
func (m *linked) read(t *testing.T) {
	t.Helper()
	folders := map[string]bool{}
	for f := range m.folders {
		for ; strings.HasPrefix(f, m.dir); f = filepath.Dir(f) {
			folders[f] = true
		}
	}
	ids := map[string]bool{}
	if file := chosen[m.Path]; file != "" {
		m.take(t, filepath.Join(m.dir, filepath.FromSlash(file)), ids)
	}
	for f := range folders {
		entries, err := os.ReadDir(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || !licenseFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") ||
				chosen[m.Path] != "" {
				continue
			}
			m.take(t, filepath.Join(f, e.Name()), ids)
		}
	}
	slices.SortFunc(m.texts, func(a, b text) int { return cmp.Compare(a.name, b.name) })
	var names []string
	for id, own := range ids {
		if own {
			names = append(names, id)
		}
	}
	slices.Sort(names)
	if m.License = strings.Join(names, " AND "); m.License == "" {
		t.Errorf("%s %s has no licence", m.Path, m.Version)
	}
}

// take reads a file of a licence or a notice.
func (m *linked) take(t *testing.T, path string, ids map[string]bool) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(m.dir, path)
	if err != nil {
		t.Fatal(err)
	}
	one := text{name: filepath.ToSlash(name), body: tidy(string(body)),
		notice: strings.HasPrefix(strings.ToLower(filepath.Base(path)), "notice")}
	if one.ids = identify(one.body); len(one.ids) == 0 && !one.notice {
		t.Errorf("%s %s: the licence in %s is not known; add what tells it to identify", m.Path, m.Version, one.name)
	}
	for _, id := range one.ids {
		ids[id] = ids[id] || !one.notice
	}
	m.texts = append(m.texts, one)
}

// tidy leaves the words of a text and ends each line as Unix does.
func tidy(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// identify names the licences that a text has, as SPDX does, each by words that no
// other has.
func identify(body string) []string {
	words := strings.ToLower(
		strings.Join(strings.FieldsFunc(body, func(c rune) bool { return strings.ContainsRune(" \t\n*#/\"'“”`", c) }),
			" "))
	has := func(s string) bool { return strings.Contains(words, s) }
	var ids []string
	add := func(id string, is bool) {
		if is {
			ids = append(ids, id)
		}
	}
	bsd := has("redistributions in binary form must reproduce the above copyright")
	third := has("names of its contributors may be used") || has("may be used to endorse or promote products") ||
		has("may not be used to endorse or promote products")
	add("Apache-2.0", has("apache license version 2.0") || has("apache license, version 2.0"))
	add("BSD-2-Clause", bsd && !third)
	add("BSD-3-Clause", bsd && third)
	add("CC-BY-4.0", has("creative commons attribution 4.0") || has("creativecommons.org licenses by 4.0"))
	add("FTL", has("the freetype project license"))
	add("GPL", has("gnu general public license"))
	add("ISC", has("permission to use, copy, modify, and distribute this software for any purpose with or "+
		"without fee") ||
		has("permission to use, copy, modify, and or distribute this software for any purpose with or without fee"))
	add("MIT", has("permission is hereby granted, free of charge, to any person obtaining a copy"))
	add("MPL-2.0", has("mozilla public license version 2.0") || has("mozilla public license, version 2.0"))
	add("OFL-1.1", has("sil open font license version 1.1"))
	add("Unlicense", has("this is free and unencumbered software released into the public domain"))
	return ids
}

func notice(modules []*linked) string {
	var b strings.Builder
	b.WriteString("headway\n\nIt is under the Apache License, Version 2.0 (LICENSE). The binary holds the " +
		"modules\nbelow under their own licences, whose texts are in THIRD_PARTY_LICENSES; `headway\nversion " +
		"--licenses` prints all of it. Written by `go test ./internal/supply -update`.\n\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "  %s %s %s\n", m.Path, m.Version, m.License)
	}
	b.WriteString("\nPortions of this software are copyright © 1996-2002, 2006 The FreeType " +
		"Project\n(www.freetype.org). All rights reserved.\n")
	for _, m := range modules {
		for _, one := range m.texts {
			if one.notice {
				fmt.Fprintf(&b, "\nNotice of %s (%s):\n\n%s\n", m.Path, one.name, one.body)
			}
		}
	}
	return b.String()
}

// licenses has each text once, under the modules that it is of.
func licenses(modules []*linked) string {
	of := map[string][]string{}
	var order []string
	for _, m := range modules {
		for _, one := range m.texts {
			if one.notice {
				continue
			}
			if of[one.body] == nil {
				order = append(order, one.body)
			}
			of[one.body] = append(of[one.body], fmt.Sprintf("%s %s (%s)", m.Path, m.Version, one.name))
		}
	}
	var b strings.Builder
	b.WriteString("The licences of what headway's binary holds, each text once under the modules\nthat it is of. " +
		"Written by `go test ./internal/supply -update`.\n")
	for _, body := range order {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("=", 78), strings.Join(of[body], "\n"),
			strings.Repeat("=", 78), body)
	}
	return b.String()
}
