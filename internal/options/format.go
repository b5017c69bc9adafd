package options

// Format is how tables are shown on standard output.
type Format struct {
	Format string `name:"format" apart:"" enum:"terminal,markdown" default:"terminal" help:"Format of the tables on standard output: ${enum}."`
}

// Markdown says that they are for a page and not for a terminal.
func (f Format) Markdown() bool { return f.Format == "markdown" }
