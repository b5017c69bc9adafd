package dgd

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"headway/internal/fault"
)

// The lines of SGLang's log that tell of its KV cache. A model with sliding
// windows has two pools, one for the layers that attend to everything and one
// for the others, and each of them writes a line of its own: what requests can
// have is what the full one holds, which is max_total_num_tokens.
var (
	sglangPool  = regexp.MustCompile(`KV Cache is allocated.*#tokens: *([0-9][0-9,]*)`)
	sglangTotal = regexp.MustCompile(`\bmax_total_num_tokens=([0-9]+)`)
	sglangFull  = regexp.MustCompile(`\bfull_layer_tokens=([0-9]+)`)
	sglangRank  = regexp.MustCompile(`^\[[-0-9: .,]+((?: [A-Z]+[0-9]+)*)\]`)
	sglangStart = "server_args=ServerArgs("
)

// kvFigure is a number of tokens, and what the rank's line says of it.
type kvFigure struct {
	tokens float64
	line   string
}

// sglangCache is what one rank says of its cache.
type sglangCache struct {
	pools       []kvFigure
	total, full kvFigure
}

// sglangTokens reads what each rank's cache holds; of several ranks the
// smallest counts. Lines that cannot both be true are an error that quotes
// them. An engine that was started again begins anew.
func sglangTokens(log io.Reader) (tokens float64, seen bool, err error) {
	ranks := map[string]*sglangCache{}
	err = eachLine(log, func(line string) error {
		if strings.Contains(line, sglangStart) {
			clear(ranks)
			return nil
		}
		return readSGLang(ranks, line)
	})
	if err != nil {
		return 0, false, err
	}
	var total kvFigure // of all ranks: only the first of them writes it
	for _, c := range ranks {
		if c.total.line != "" && (total.line == "" || c.total.tokens < total.tokens) {
			total = c.total
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ranks)) {
		n, err := ranks[name].tokens(total)
		if err != nil {
			return 0, false, err
		}
		if !seen || n < tokens {
			tokens, seen = n, true
		}
	}
	return tokens, seen, nil
}

// readSGLang notes what a line says.
func readSGLang(ranks map[string]*sglangCache, line string) error {
	for _, kind := range []*regexp.Regexp{sglangPool, sglangTotal, sglangFull} {
		groups := kind.FindStringSubmatch(line)
		if groups == nil {
			continue
		}
		n, err := product(groups[1:])
		if err != nil {
			return fmt.Errorf("the line %q: %w", clip(line), err)
		}
		rank := ""
		if tag := sglangRank.FindStringSubmatch(line); tag != nil {
			rank = tag[1]
		}
		c := ranks[rank]
		if c == nil {
			c = &sglangCache{}
			ranks[rank] = c
		}
		figure := kvFigure{math.Floor(n), strings.TrimSpace(rank + " " + groups[0])}
		var before kvFigure
		switch kind {
		case sglangPool:
			c.pools = append(c.pools, figure)
		case sglangTotal:
			before, c.total = c.total, figure
		case sglangFull:
			before, c.full = c.full, figure
		}
		if before.line != "" && before.tokens != figure.tokens {
			return disagree(before, figure)
		}
	}
	return nil
}

// tokens is what a rank's cache holds, where total is what the engine has in
// all if some rank wrote it.
func (c *sglangCache) tokens(total kvFigure) (float64, error) {
	said := c.total
	if said.line == "" {
		said = total
	}
	if said.line == "" {
		said = c.full
	}
	if said.line == "" {
		said = c.pools[0]
		for _, p := range c.pools {
			if p.tokens != said.tokens {
				return 0, disagree(said, p)
			}
		}
	}
	if c.full.line != "" && c.full.tokens != said.tokens {
		return 0, disagree(c.full, said)
	}
	same := func(p kvFigure) bool { return p.tokens == said.tokens }
	if len(c.pools) > 0 && !slices.ContainsFunc(c.pools, same) {
		near := slices.MinFunc(c.pools, func(a, b kvFigure) int {
			return cmp.Compare(math.Abs(a.tokens-said.tokens), math.Abs(b.tokens-said.tokens))
		})
		return 0, disagree(near, said)
	}
	return said.tokens, nil
}

func disagree(a, b kvFigure) error {
	return fault.New("two lines disagree about the cache, %q and %q: %s says its size", a.line, b.line,
		fault.Field("max-kv-tokens"))
}
