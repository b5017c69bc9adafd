package report

import "strings"

// Checked is a check that was made, as a table shows it.
type Checked struct {
	// Name is what was looked at, Status how it ended, Seen what was there, and Do
	// what to do about it, which may be empty.
	Name, Status, Seen, Do string
}

// OfChecks is the document of checks, in their order. In a terminal what to do stands
// below what was seen; elsewhere it has a column of its own.
func OfChecks(title string, all []Checked) *Document {
	d := &Document{}
	d.add(piece{table: func(width int) table {
		if width >= markdownWidth {
			return wideChecks(title, all)
		}
		return narrowChecks(title, all, width)
	}})
	return d
}

func wideChecks(title string, all []Checked) table {
	t := table{title: title, columns: []column{{title: "check", left: true}, {title: "status", left: true},
		{title: "what was seen", left: true}, {title: "what to do", left: true}}}
	for _, c := range all {
		t.rows = append(t.rows, []string{c.Name, c.Status, c.Seen, c.Do})
	}
	return t
}

// narrowChecks is the table for a terminal of a width in columns.
func narrowChecks(title string, all []Checked, width int) table {
	t := table{title: title, columns: []column{{title: "check", left: true}, {title: "status", left: true},
		{title: "what was seen → what to do", left: true}}}
	room := width - 10
	names, statuses := 0, 0
	for _, c := range all {
		names, statuses = max(names, textWidth(c.Name)), max(statuses, textWidth(c.Status), len("status"))
	}
	room = max(room-names-statuses, 20)
	for _, c := range all {
		text := wrap(c.Seen, room)
		if c.Do != "" {
			text += "\n→ " + strings.ReplaceAll(wrap(c.Do, room-2), "\n", "\n  ")
		}
		t.rows = append(t.rows, []string{c.Name, c.Status, text})
	}
	return t
}
