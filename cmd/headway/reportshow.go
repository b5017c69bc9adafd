package main

import (
	"fmt"
	"io"

	"headway/internal/cli"
	"headway/internal/plain"
	"headway/internal/restate"
	"headway/internal/study"
	"headway/internal/study/pages"
	"headway/report"
)

// show prints the result, or writes it into a file.
func (c *reportCmd) show(a cli.App, disk *study.Disk) error {
	show := func(w io.Writer) error {
		if c.Shown() == "html" {
			return pages.WriteTo(w, disk, cli.Version)
		}
		if c.As != "" {
			v := restate.View{As: c.As, Page: c.page(a), JSON: c.JSON}
			return v.Write(plain.NewWriter(w, false), disk)
		}
		v := study.View{Page: c.page(a), JSON: c.JSON, NumGPUs: c.NumGPUs}
		return v.Write(plain.NewWriter(w, false), disk)
	}
	if c.Output == "" {
		if err := show(a.Stdout); err != nil {
			return fmt.Errorf("printing the result: %w", err)
		}
		return nil
	}
	if err := report.WriteFile(c.Output, show); err != nil {
		return err
	}
	c.note(a, "written: %s", c.Output)
	return nil
}

// page is how tables are shown.
func (c *reportCmd) page(a cli.App) report.ConsoleOptions {
	page := a.Page("")
	page.Markdown, page.JSON = c.Shown() == "markdown", c.Shown() == "json"
	if c.Output != "" {
		page.Color, page.Width = false, report.FullWidth
	}
	return page
}
