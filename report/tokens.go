package report

import (
	"fmt"
	"strings"

	"headway/metric"
)

// tokenCounts says whose counts of tokens the figures are made of, and how far
// the two sides' are apart: shares, |server − ours|/ours of the output tokens
// and the change that the server's counts make to ITL.
func tokenCounts(c metric.TokenCounts) object {
	o := object{{"counted_by", c.By()}, {"asked", c.Asked.String()}, {"replies", c.Replies}, {"with_usage", c.Reported}}
	o.add("output_difference", c.Output)
	o.add("itl_difference", c.ITL)
	return o
}

// tokenText says whose counts the figures are made of; empty in virtual time,
// where there is one count.
func (r *Report) tokenText() string {
	c := r.Result.Tokens
	switch {
	case c.Replies == 0 || r.Run.Cluster != nil:
		return ""
	case c.Source == metric.TokensServer && c.Reported < c.Replies:
		return fmt.Sprintf("the server's counts, which %d of %d replies have of prompt and output", c.Reported,
			c.Replies)
	case c.Source == metric.TokensServer:
		return "the server's counts, which every reply has"
	case c.Asked == metric.TokensAuto && c.Reported == 0:
		return "counted by this client, since no reply has usage"
	case c.Asked == metric.TokensAuto:
		return fmt.Sprintf("counted by this client, since %d of %d replies have no usage", c.Replies-c.Reported,
			c.Replies)
	}
	return "counted by this client"
}

// levelTokens says it of a sweep, of all levels at once where they agree.
func levelTokens(d *Document, levels []Level) {
	var texts []string
	at := map[string][]string{}
	for _, l := range levels {
		for _, r := range l.Runs {
			text := r.tokenText()
			if names := at[text]; text != "" && len(names) == 0 {
				texts = append(texts, text)
			}
			if names := at[text]; len(names) == 0 || names[len(names)-1] != l.name() {
				at[text] = append(names, l.name())
			}
		}
	}
	for _, text := range texts {
		line := "Tokens: " + text
		if len(texts) > 1 {
			line = "Tokens at " + strings.Join(at[text], ", ") + ": " + text
		}
		d.text("", line)
	}
}
