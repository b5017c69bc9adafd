package metric

import (
	"fmt"
	"math"

	"headway/record"
)

// TokenSource says whose counts of tokens figures are made of. A text that was
// generated need not encode to the tokens that made it, so that the server's
// counts are the true ones; where it does not give them ours are all there is.
type TokenSource uint8

const (
	// TokensClient takes Records as this side counted them.
	TokensClient TokenSource = iota
	// TokensServer takes Records into which the server's counts were put, as
	// openai.Counter does.
	TokensServer
	// TokensAuto takes the server's counts where every valid reply has usage
	// of prompt and output, else ours: one or the other for the whole run,
	// since figures of both would be of two measures.
	TokensAuto
)

var tokenSources = [...]string{"client", "server", "auto"}

// String is the source's name in options and files: client, server or auto.
func (s TokenSource) String() string {
	if int(s) < len(tokenSources) {
		return tokenSources[s]
	}
	return "unknown"
}

// ParseTokenSource reads a source's name.
func ParseTokenSource(name string) (TokenSource, error) {
	for i, n := range tokenSources {
		if n == name {
			return TokenSource(i), nil
		}
	}
	return 0, fmt.Errorf("token count %q: want auto, client or server", name)
}

// AsServerCounted is a Record with the server's counts in place of ours, which
// stay beside them in Client. What failed or was cut off has no usage: its output
// is counted by nobody then, since our count of it is on another scale. False
// where a valid reply has no usage of both prompt and output, or usage that
// counts nothing.
func AsServerCounted(r *record.Record) (*record.Record, bool) {
	if !Valid(r) {
		counted := *r
		counted.TokensOut, counted.TokensReasoning, counted.Client = -1, -1, r
		return &counted, true
	}
	if !reports(r) {
		return nil, false
	}
	counted := *r
	counted.TokensIn, counted.TokensOut, counted.TokensReasoning = r.ServerTokens()
	counted.Client = r
	return &counted, true
}

// reports says whether a reply's usage counts both its prompt and its output.
func reports(r *record.Record) bool {
	return r.Usage["prompt_tokens"] > 0 && r.Usage["completion_tokens"] > 0
}

// clientOf is a Record as this side counted it.
func clientOf(r *record.Record) *record.Record {
	if r.Client != nil {
		return r.Client
	}
	return r
}

// Counted is a Sink before two others of a kind: one takes Records as this side
// counted their tokens, the other as the server did. Which of the two holds the
// figures is known when the last Record was taken.
type Counted[S record.Sink] struct {
	source TokenSource
	ours   S
	server S
	silent bool // a reply had no usage
	valid  int
}

// NewCounted makes the two, or one where there is nothing to choose; one is told
// whose counts its Records will have.
func NewCounted[S record.Sink](source TokenSource, one func(TokenSource) S) *Counted[S] {
	if source != TokensAuto {
		return &Counted[S]{source: source, ours: one(source), silent: true}
	}
	return &Counted[S]{source: source, ours: one(TokensClient), server: one(TokensServer)}
}

// Take hands a Record to both.
func (c *Counted[S]) Take(r *record.Record) error {
	if !c.silent {
		if Valid(r) {
			c.valid++
		}
		counted, ok := AsServerCounted(r)
		if !ok {
			c.silent = true
		} else if err := c.server.Take(counted); err != nil {
			return err
		}
	}
	return c.ours.Take(r)
}

// Chosen is the one whose figures count, and whose counts they are of.
func (c *Counted[S]) Chosen() (S, TokenSource) {
	switch {
	case !c.silent && c.valid > 0:
		return c.server, TokensServer
	case c.source == TokensServer:
		return c.ours, TokensServer
	}
	return c.ours, TokensClient
}

// TokenCounts says whose counts the figures of a result are made of, and how
// far the two sides' are apart.
type TokenCounts struct {
	// Asked is what was asked for, Source what was taken: TokensClient or
	// TokensServer.
	Asked, Source TokenSource
	// Replies counts valid replies, Reported those with usage of prompt and
	// output.
	Replies, Reported int
	// Output is the mean over replies of |server − ours| / ours of the output
	// tokens, and ITL the mean inter-token latency by the server's counts over
	// that by ours, less 1. NaN where only one side counted.
	Output, ITL float64
}

// By is whose counts were taken, client or server; empty where no reply has any.
func (c TokenCounts) By() string {
	if c.Replies == 0 {
		return ""
	}
	return c.Source.String()
}

// tokenGap is what TokenCounts rest on: whole numbers, so that the sums do not
// depend on the order of Records.
type tokenGap struct {
	replies, reported int
	pairs             int
	apart             int64 // Σ|server − ours|/ours, in 1e-9
	ours, server      int64 // Σ of inter-token latencies, ns
}

func (g *tokenGap) add(r *record.Record, o Options) {
	g.replies++
	if reports(r) {
		g.reported++
	}
	if o.Tokens == TokensServer && r.Client == nil {
		return // ours are not known
	}
	c := clientOf(r)
	ours, ok := OSL(c)
	server := r.Usage["completion_tokens"]
	if !ok || server <= 0 {
		return
	}
	g.pairs++
	g.apart += int64(math.Round(1e9 * math.Abs(float64(server)-ours) / ours))
	if d, ok := DecodeDuration(r); ok && r.Streamed && ours > 1 && server > 1 {
		g.ours += int64(math.Round(1e9 * d / (ours - 1)))
		g.server += int64(math.Round(1e9 * d / float64(server-1)))
	}
}

func (g *tokenGap) counts(o Options) TokenCounts {
	c := TokenCounts{
		Asked:    o.Tokens,
		Source:   TokensClient,
		Replies:  g.replies,
		Reported: g.reported,
		Output:   math.NaN(),
		ITL:      math.NaN(),
	}
	if o.Tokens == TokensServer {
		c.Source = TokensServer
	}
	if g.pairs > 0 {
		c.Output = float64(g.apart) / 1e9 / float64(g.pairs)
	}
	if g.ours > 0 {
		c.ITL = float64(g.server)/float64(g.ours) - 1
	}
	return c
}

// matters is the least difference between the two sides' counts that is said.
const matters = 0.001

// warnings say what counting here instead of taking the server's counts does to
// the figures.
func (c TokenCounts) warnings() []record.Warning {
	if c.Source != TokensClient || c.Reported == 0 || !(c.Output >= matters) {
		return nil
	}
	text := fmt.Sprintf("tokens are counted by this client: the server's output counts differ by %.1f "+
		"%% on average", 100*c.Output)
	if !math.IsNaN(c.ITL) {
		way := "longer"
		if c.ITL < 0 {
			way = "shorter"
		}
		text += fmt.Sprintf(" and make ITL %.1f %% %s", 100*math.Abs(c.ITL), way)
	}
	remedy := "; --use-server-token-count takes them"
	if c.Asked == TokensAuto {
		remedy = fmt.Sprintf("; %d of %d replies have none", c.Replies-c.Reported, c.Replies)
	}
	return []record.Warning{{Code: "client_token_count", Text: text + remedy}}
}

// byServer feeds the Collector of the server's counts, where there are such, and
// returns the Record as the figures so far have it.
func (c *Collector) byServer(r *record.Record) *record.Record {
	if c.server == nil {
		return r
	}
	counted, ok := AsServerCounted(r)
	if !ok {
		c.server = nil
		return r
	}
	_ = c.server.Take(counted) // never fails
	return counted
}

// serverResult is the result by the server's counts; nil where it is not the
// one to be shown.
func (c *Collector) serverResult() *Result {
	if c.server == nil || c.result.OK == 0 {
		return nil
	}
	r := c.server.Result()
	r.Tokens.Asked = c.options.Tokens
	return r
}
