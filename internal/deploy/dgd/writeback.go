package dgd

import "slices"

// write puts an engine's changed arguments back into its container.
func (e *editor) write(container path, c *commandLine) {
	switch {
	case c.shell:
		e.writeScript(container, c)
	case c.joined:
		var args []string
		for _, a := range c.list {
			if a.origin < 0 || a.origin >= c.command {
				args = append(args, a.value)
			}
		}
		e.put(container.plus("args"), texts(args))
	default:
		split := len(c.list)
		for i, a := range c.list {
			if a.origin >= c.command {
				split = i
				break
			}
		}
		for split > 0 && c.list[split-1].origin < 0 && c.command < len(c.items) {
			split-- // new ones between command and args go with the args
		}
		if c.command == len(c.items) { // there are no args: new ones become some
			for split = len(c.list); split > 0 && c.list[split-1].origin < 0; split-- {
				continue
			}
		}
		e.writeList(container.plus("command"), c.items[:c.command], c.list[:split], 0)
		e.writeList(container.plus("args"), c.items[c.command:], c.list[split:], c.command)
	}
}

func (e *editor) writeScript(container path, c *commandLine) {
	script := c.rendered()
	if script == c.items[c.script] {
		return
	}
	switch {
	case c.joined:
		e.put(container.plus("args"), text(script))
	case c.script < c.command:
		e.put(container.plus("command", c.script), text(script))
	default:
		e.put(container.plus("args", c.script-c.command), text(script))
	}
}

// writeList makes a list of old items one of arguments: items that are no
// longer there are removed, from the end on, so that places stay true; the
// others are set where they differ; new ones are inserted.
func (e *editor) writeList(at path, old []string, list []argument, offset int) {
	if len(old) == 0 {
		if len(list) > 0 {
			e.put(at, texts(values(list)))
		}
		return
	}
	for i := len(old) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(list, func(a argument) bool { return a.origin == i+offset }) {
			e.remove(at.plus(i))
		}
	}
	for i, a := range list {
		switch {
		case a.origin < 0:
			e.insert(at, i, text(a.value))
		case a.value != old[a.origin-offset]:
			e.put(at.plus(i), text(a.value))
		}
	}
}

func values(list []argument) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.value
	}
	return out
}
