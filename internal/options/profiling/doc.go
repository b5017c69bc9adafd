// Package profiling holds the options of the verbs that profile engines. They are
// apart from [headway/internal/options] since they know what a profile is, which
// draws and writes deployments: what only loads an endpoint links neither.
package profiling
