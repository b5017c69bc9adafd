package markdown

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	text := "# A page: 95 % `of` it\n\nSee [b](b.md#c), not `[x](y)`.\n\n```sh not-run: needs a GPU\n# no " +
		"heading\nheadway bench\n```\n\n## Tables\n| `a.go` | b |\n"
	page, err := Parse("a.md", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Page{
		Name: "a.md",
		Prose: []Line{{1, "# A page: 95 % `of` it"}, {2, ""}, {3, "See [b](b.md#c), not `[x](y)`."}, {4, ""},
			{9, ""}, {10, "## Tables"}, {11, "| `a.go` | b |"}},
		Headings: []Heading{{1, 1, "A page: 95 % `of` it"}, {10, 2, "Tables"}},
		Blocks:   []Block{{5, "sh not-run: needs a GPU", "# no heading\nheadway bench\n"}},
	}
	if d := cmp.Diff(want, page); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Link{{3, "b.md#c"}}, page.Links()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Line{{1, "of"}, {3, "[x](y)"}, {11, "a.go"}}, page.Code()); d != "" {
		t.Error(d)
	}
	if got, want := page.Headings[0].Anchor(), "a-page-95--of-it"; got != want {
		t.Errorf("anchor %q, want %q", got, want)
	}
}

func TestOpenBlockIsAnError(t *testing.T) {
	if _, err := Parse("a.md", "text\n```sh\nheadway bench\n"); err == nil ||
		err.Error() != "a.md:2: this block is not closed: end it with ```" {
		t.Error(err)
	}
}
