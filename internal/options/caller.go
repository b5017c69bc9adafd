package options

import "strings"

// Caller is who reads options, and what of it their meaning depends on.
type Caller struct {
	// Given are the options that were set to other than their default, by name.
	Given map[string]bool
	// Named are those that were set at all, to their default too.
	Named map[string]bool
	// Environ is the environment, as of [os.Environ].
	Environ []string
	// AsAiperf is set where aiperf's habits are asked for.
	AsAiperf bool
	// Version is headway's own.
	Version string
}

// Getenv is a variable of the environment, empty where it is not set.
func (c Caller) Getenv(name string) string {
	v, _ := c.Lookupenv(name)
	return v
}

// Lookupenv is a variable of the environment, and whether it is set.
func (c Caller) Lookupenv(name string) (value string, set bool) {
	for i := len(c.Environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(c.Environ[i], name+"="); ok {
			return v, true
		}
	}
	return "", false
}
