// Package options holds the options of headway's commands: what each is called,
// its default, its help, what is wrong with its value, and what it makes: the
// plan of a load, the configuration of a client, a simulated cluster.
//
// An option is defined once. Commands put together what they have by embedding;
// the tags are those of the parser (package cli).
package options
