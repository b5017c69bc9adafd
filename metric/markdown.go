package metric

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

var kindNames = [...]string{
	PerRecord: "request", PerList: "list", Aggregate: "counter", Derived: "total", OverTime: "curve",
}

// Markdown writes docs/metrics.md: every metric with its unit and formula.
func Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, markdownHead)
	for _, m := range byTokens {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s | `metric/%s` |\n", m.Tag, cell(m.Header), cell(m.Unit),
			kindNames[m.Kind]+streamMark(m), cell(m.Formula), cell(m.Source), m.Where)
	}
	fmt.Fprint(b, "\n## Other names\n\nObjectives and goodput also take these:\n")
	for _, m := range byTokens {
		for _, alias := range aliasesOf(m.Tag) {
			fmt.Fprintf(b, "\n- `%s` is `%s`", alias, m.Tag)
		}
	}
	fmt.Fprint(b, markdownTail)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing the table of metrics: %w", err)
	}
	return nil
}

const markdownHead = `# Metrics

<!-- Generated from the package metric; go test ./metric -update writes it. -->

After this page you know the definition of every figure: its formula, its unit, which requests it counts, and over which
time.

A record is *valid* when it was answered without an error, at least one arrival carried text, and the text came after
the start. Failed and cancelled requests enter only the metrics that say so. Requests that were planned and never sent
enter none.

| kind | values |
|---|---|
| *request* | at most one value a request, and a distribution over the run |
| *list* | any number of values a request |
| *counter*, *total* | one value a run |
| *curve* | a value at each instant of the run |

*Stream* metrics exist only for replies that came as a stream.

Distributions have avg, min, max, sum, std (population) and p1, p5, p10, p25, p50, p75, p90, p95, p99 by linear
interpolation; a mark says where fewer than five values lie beyond a percentile.

Curves are described by how long each value held: avg, min, max, std (all weighted by time) and p50, p90, p95, p99. A
quantile is the least value such that it and all below held for that share of the time. Effective curves are over the
whole run, from the first start to the last end; Active ones over the time in which a request was in the phase.

## Which requests and which time

The table below has aiperf's definitions, which files keep under aiperf's names: latencies and throughputs of valid
requests. Tables, pictures and objectives use the following ones, and JSON has them in ` + "`headway.whole`" + ` and
` + "`headway.steady`" + `.

- **Parts.** The *whole* is the time from the first start to the last end of a measured request, whatever its outcome.
  The *steady* part leaves out the start, when the server fills, and the tail, when it drains. Tables lead with the
  steady part if it has ten requests or is half of the run, otherwise with the whole.
  - In a closed loop it begins when nine tenths of the asked concurrency were in flight and every request that had
    started until then is over. It ends with the last instant of nine tenths in flight. Its latencies are of the
    requests that started in it before any that was in flight at its end. After a warm-up that handed its load over it
    begins with the first measured request.
  - In an open loop it begins when the empty server has filled and ends with the last start.
  - What is still start-up is cut off by the marginal standard error rule MSER-5 (White, Cobb and Spratt, WSC 2000) on
    TTFT and latency.
- **Rates** are what came in the part over its duration: tokens where they arrived, also those of replies that failed or
  were cut off later and of warm-up requests that were still in flight; valid replies by the share of their time in
  flight that lies inside; prompts spread over the time to the first text.
- **Latencies** are of all measured requests that started in the part.
  - One that the server failed (refused, reset, error, timeout, broken off, an invalid reply) is infinite.
  - One that headway ended (end of the duration, planned cancellation, Ctrl-C) is right-censored at what had passed,
    unless its value was known already, as a TTFT may be.
  - Quantiles are then those of the product-limit estimator (Kaplan and Meier 1958) in which failed requests stay at
    risk to the end, and ` + "`≥`" + ` where it is not reached.
  - Means are infinite with one failed request and bounded from below with one that was cut off; the figures of the
    others stand beside.
- **Intervals** are at 95 % and take into account that requests of one run depend on each other: ` + "`internal/series`" + ` has
  the formulas, [accuracy.md](accuracy.md#intervals) how often they hold. Where there is none, the reason is printed.
  - With censored values they are percentiles over 200 runs resampled in blocks of neighbouring starts (Künsch 1989).
  - Those of rates are from counts in up to 1,024 pieces of equal time, a request's tokens spread over its time in
    flight; they are widened by what that spreading moves.
  - Token counts and other figures without sampling error have none.
- **Objectives** are met, missed, or not decided, over the whole run: everything that was sent counts.
  - A failed request has the worst value of every figure of a request.
  - One that headway ended leaves an objective open, unless its least and its greatest possible value give the same
    verdict.
  - An interval that contains the bound leaves it open, and so does a figure that drifts.

## Metrics of a run

| tag | header | unit | kind | formula | source | where |
|---|---|---|---|---|---|---|
`

const markdownTail = `

## Beside aiperf

Tags, headers, units and the console's rows are those of aiperf 0.13.0, and so is what is left out where there is nothing to count. These differ:

- ` + "`http_req_chunks_sent`" + ` does not exist: nothing observes the writes of a request.
- ` + "`http_req_data_sent` and `http_req_data_received`" + ` are the bytes on the connection, heads and framing included; aiperf describes them so and counts the bodies. KB are 1024 bytes in both.
- ` + "`http_req_sending`, `http_req_duration` and `http_req_total`" + ` leave a new connection's DNS, TCP and TLS to their own phases, as aiperf describes them; its own sending begins before them, so that they count twice in its total.
- ` + "`effective_latency` and `credit_to_start_latency`" + ` are of valid requests. In aiperf 0.13.0 failed ones enter both; it describes the first
  as a latency that a user perceives, a request refused at once would make it smaller, and later versions leave them out as well. It ends with the
  last text, as request_latency does, and not with the end of the reply. The view with failures is ` + "`adj_effective_latency`" + `.
- More is better of ` + "`goodput` and `good_request_count`" + `, and neither of the input of failed requests. aiperf has it the other way round; a goodput objective takes none of them in either.
- The curves of prefill, decode and tokens are left out where no reply streamed; aiperf gives zeros. A chunk at the very instant of its reply's end is never in ` + "`tokens_in_flight`" + `; aiperf puts it 256 ns before, which can be its max.
- Metrics with the source headway are not aiperf's. In JSON they stand under the key headway.
`

func streamMark(m Metric) string {
	if m.Streaming {
		return ", stream"
	}
	return ""
}

// cell keeps the bars of a formula out of the table's syntax.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
