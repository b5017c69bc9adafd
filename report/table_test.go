package report

import (
	"slices"
	"strings"
	"testing"
)

// wide is a table of two keys and columns that must stay, but the last, which may
// give way.
func wide(stay int) table {
	t := table{title: "T", keys: 2, columns: []column{{title: "Case"}, {title: "Router", left: true}},
		rows: [][]string{{"0.5", "round-robin"}}}
	for i := range stay {
		t.columns = append(t.columns, column{title: "TTFT ms\n" + string(rune('a'+i))})
		t.rows[0] = append(t.rows[0], "1,234–5,678")
	}
	t.columns = append(t.columns, column{title: "Regret\nms", drop: 1})
	t.rows[0] = append(t.rows[0], "12")
	return t
}

// Whatever the width, every column is either shown or named as left out, no line
// is wider where that can be, and every part has the keys.
func TestTableLosesNothingSilently(t *testing.T) {
	for stay := 1; stay < 9; stay++ {
		for width := minWidth; width <= FullWidth; width += 7 {
			all := wide(stay)
			var b strings.Builder
			all.write(&b, ConsoleOptions{Width: width})
			text := b.String()
			flat := strings.Join(strings.Fields(text), " ") // notes are wrapped
			for i := range stay {
				if n := strings.Count(text, " "+string(rune('a'+i))+" ┃"); n != 1 {
					t.Errorf("%d columns in %d: column %c is shown %d times\n%s", stay, width, 'a'+i, n, text)
				}
			}
			shown, named := strings.Contains(text, "┃ Regret ┃"), strings.Contains(flat, "Regret ms; a wider")
			if shown == named {
				t.Errorf("%d columns in %d: what may give way is shown %v, named as left out %v\n%s", stay, width,
					shown, named, text)
			}
			if parts := strings.Count(text, "┡"); strings.Count(text, "round-robin") != parts {
				t.Errorf("%d columns in %d: %d tables without keys\n%s", stay, width, parts, text)
			}
			if textWidth(text) > width {
				t.Errorf("%d columns: a line of %d in %d\n%s", stay, textWidth(text), width, text)
			}
		}
	}
}

// Rows without lines lose nothing either.
func TestRowsLoseNothing(t *testing.T) {
	rows := [][]string{{"", "mean", "p50", "p99", "requests"}, {"input length", "1", "2", "3", "4"},
		{"output", "12345.6", "6", "7", "–"}}
	for width, want := range map[int]string{
		80: "                   mean  p50  p99  requests\ninput length          1    2    3         4\noutput      " +
			"    12345.6    6    7         –\n",
		40: "                   mean  p50  p99\ninput length          1    2    3\noutput          12345.6    6    " +
			"7\n\n" +
			"                requests\ninput length           4\noutput                 –\n",
	} {
		var b strings.Builder
		if err := WriteRows(&b, ConsoleOptions{Width: width}, 1, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("in %d columns:\n%swant\n%s", width, b.String(), want)
		}
	}
}

// A sweep's and a comparison's tables have what matters at every width.
func TestTablesKeepWhatMatters(t *testing.T) {
	level, _, _ := levelTable([]Level{{[]*Report{reportOf(t, typical)}}}, "")
	for name, tab := range map[string]table{"levels": level, "router": routed(t, false).table()} {
		for _, width := range []int{80, 100, FullWidth} {
			kept, _ := tab.fit(width)
			for _, title := range []string{"TTFT ms\np50", "TTFT ms\np99", "ITL ms\np50", "req/s"} {
				if !slices.ContainsFunc(kept.columns, func(c column) bool { return c.title == title }) {
					t.Errorf("%s in %d columns: %q gives way", name, width, title)
				}
			}
		}
	}
}

// The tables of several endpoints are told apart by their names.
func TestTitlesHaveNames(t *testing.T) {
	var b strings.Builder
	if err := WriteLevels(&b, []Level{{[]*Report{reportOf(t, typical)}}}, ConsoleOptions{Name: "host-a"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "headway | Levels | host-a") {
		t.Errorf("no name in\n%s", b.String())
	}
}
