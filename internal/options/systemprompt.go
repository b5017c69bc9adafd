package options

import (
	"unicode/utf8"

	"headway/internal/bound"
	"headway/internal/fault"
)

// systemFaults are those of a system message that is given, which is the only one.
func (p *Plan) systemFaults(bad *fault.List) {
	given := map[fault.Field]bool{"system-prompt": p.System != "", "system-prompt-file": p.SystemFile != "",
		"shared-system-prompt-length": p.SystemLength > 0, "num-prefix-prompts": p.NumPrefix > 0}
	var named []fault.Field
	for _, name := range []fault.Field{"system-prompt", "system-prompt-file", "shared-system-prompt-length",
		"num-prefix-prompts"} {
		if given[name] {
			named = append(named, name)
		}
	}
	if (p.System != "" || p.SystemFile != "") && len(named) > 1 {
		bad.Add("%s and %s: give one of them", named[0], named[1])
	}
}

// readSystem takes the system message, so that a file that cannot be read is known
// before anything is sent.
func (p *Plan) readSystem() error {
	p.systemText = p.System
	if p.SystemFile == "" {
		return nil
	}
	text, err := bound.ReadFile(p.SystemFile, bound.Document, "the system prompt")
	switch {
	case err != nil:
		return fault.New("%s: %w", fault.Field("system-prompt-file"), err)
	case !utf8.Valid(text) || len(text) == 0:
		return fault.New("%s %s: must hold text in UTF-8", fault.Field("system-prompt-file"), p.SystemFile)
	}
	p.systemText = string(text)
	return nil
}
