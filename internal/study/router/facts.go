package router

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"

	"headway/internal/bound"
	"headway/internal/options"
)

// SeedBefore is the seed of the call that began the folder of a benchmark, so that
// what is added to its runs has the same load; one from the system where nothing
// was begun there.
func SeedBefore(o *options.Comparison, benchmark string) (uint64, error) {
	before, err := Before(o, benchmark)
	if err != nil || before["seed"] == "" {
		return options.SeedOr(nil), err
	}
	seed, err := strconv.ParseUint(before["seed"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the seed of the earlier call in %s: %w", o.Dir(benchmark), err)
	}
	return seed, nil
}

// addFacts adds to the settings what options come to: the seed, and what stands in
// files. The same name with another content is another load.
func (s *Study) addFacts() error {
	s.settings["seed"] = strconv.FormatUint(s.Seed, 10)
	if !s.Options.Live() {
		s.settings["version of headway"] = s.header.Version
	}
	for _, file := range append(s.Options.Files(), s.Files...) {
		print, err := fingerprint(file)
		if err != nil {
			return err
		}
		if print != "" {
			s.settings["content of "+file] = print
		}
	}
	return nil
}

// fingerprint tells contents of a file apart; "" where it is none that can be read
// again.
func fingerprint(path string) (string, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", nil
	}
	f, err := bound.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:12], nil
}
