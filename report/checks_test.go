package report_test

import (
	"bytes"
	"strings"
	"testing"

	"headway/report"
)

func TestOfChecks(t *testing.T) {
	d := report.OfChecks("endpoint http://h:1", []report.Checked{
		{Name: "connect", Status: "ok", Seen: "127.0.0.1:1 took a connection"},
		{Name: "usage", Status: "warn", Seen: "the stream ends without usage", Do: "Look for an option of the " +
			"gateway."},
	})
	shown := func(o report.ConsoleOptions) string {
		var b bytes.Buffer
		if err := d.Write(&b, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const narrow = `               endpoint http://h:1
┏━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ check   ┃ status ┃ what was seen → what to do  ┃
┡━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ connect │ ok     │ 127.0.0.1:1 took a          │
│         │        │ connection                  │
│ usage   │ warn   │ the stream ends without     │
│         │        │ usage                       │
│         │        │ → Look for an option of the │
│         │        │   gateway.                  │
└─────────┴────────┴─────────────────────────────┘
`
	if got := shown(report.ConsoleOptions{Width: 50}); got != narrow {
		t.Errorf("in 50 columns:\n%s", got)
	}
	if got := shown(report.ConsoleOptions{Markdown: true}); !strings.Contains(got,
		"| usage | warn | the stream ends without usage | Look for an option of the gateway. |") {
		t.Errorf("as Markdown:\n%s", got)
	}
	if got := shown(report.ConsoleOptions{JSON: true}); !strings.Contains(got, `"what to do"`) {
		t.Errorf("as JSON:\n%s", got)
	}
}
