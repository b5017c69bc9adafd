package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"headway/internal/openai"
	"headway/record"
)

// What is read of a page at most.
const (
	mostPage    = 1 << 20
	mostMetrics = 8 << 20
)

// page asks for one, and keeps the answer for its head.
func (e *endpoint) page(ctx context.Context, path string, limit int64) (openai.Answer, *Finding) {
	ctx, cancel := context.WithTimeout(ctx, e.client.Timeout)
	defer cancel()
	a, err := e.client.Ask(ctx, 0, path, limit)
	if err == nil {
		e.answers = append(e.answers, a)
		return a, nil
	}
	var f *record.Failure
	if errors.As(err, &f) {
		found := e.refused(f)
		return a, &found
	}
	found := failed(err.Error(), "")
	return a, &found
}

// words are the beginning of what an answer says, for a sentence.
func (e *endpoint) words(a openai.Answer) string {
	// Secrets go before the text is cut: half of one would not be found.
	text := e.client.Secrets().Text(string(a.Body[:min(len(a.Body), 8<<10)]))
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 160 {
		text = string(r[:160]) + "…"
	}
	if text == "" {
		return a.Reason
	}
	return a.Reason + ": " + text
}

func (e *endpoint) health(ctx context.Context) Finding {
	path := e.reach.Root + "/health"
	a, bad := e.page(ctx, path, mostPage)
	switch {
	case bad != nil:
		return *bad
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		return skipped("the server has no " + path + ", which not every server has")
	case a.Status == http.StatusServiceUnavailable:
		return failed(path+" answers "+e.words(a), "The server says that it is not ready: wait for it "+
			"(--wait-for-model-timeout). With Dynamo no worker may have registered: headway doctor --namespace NAME.")
	case a.Status > 299:
		return warn(path+" answers "+e.words(a), "Look at the server's log; a gateway may answer in its place.")
	}
	return ok(path + " answers " + e.words(a))
}

// models looks for the model in the server's list, or takes the first of it.
func (e *endpoint) models(ctx context.Context) Finding {
	a, bad := e.page(ctx, e.reach.Models, mostPage)
	if bad != nil {
		return *bad
	}
	f := e.listed(a)
	if f.Status != Fail && len(e.client.Models) == 0 {
		return failed(f.Seen, "Name the model with --model.")
	}
	return f
}

// listed judges the list of models.
func (e *endpoint) listed(a openai.Answer) Finding {
	names, err := openai.ModelNames(a.Body)
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return failed(e.reach.Models+" answers "+e.words(a), "The server wants a key, or another one: --api-key KEY.")
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		return warn("the server has no "+e.reach.Models, "Check the address: what stands before /v1 belongs to it. "+
			"A server without the list can be measured where --model is right.")
	case a.Status == http.StatusBadRequest && strings.Contains(string(a.Body), "HTTPS"):
		return failed(e.reach.Models+" answers "+e.words(a), "The server speaks TLS: write https:// before the host.")
	case a.Status > 299:
		return failed(e.reach.Models+" answers "+e.words(a), "Look at the server's log, and wait until it is ready.")
	case err != nil:
		return failed(e.reach.Models+" answers what is no list of models: "+e.words(a),
			"What answers there is no OpenAI-compatible server: check the port and the path.")
	case len(names) == 0:
		return failed("the list of models is empty", "No worker has registered its model: look at the workers' logs. "+
			"With Dynamo look at the workers, etcd and NATS: headway doctor --namespace NAME.")
	}
	list := strings.Join(names[:min(5, len(names))], ", ")
	if len(names) > 5 {
		list += fmt.Sprintf(" and %d more", len(names)-5)
	}
	if len(e.client.Models) == 0 {
		e.client.Models = names[:1]
		return ok(fmt.Sprintf("%s; no --model is given, the checks ask for %s", list, names[0]))
	}
	for _, m := range e.client.Models {
		if !slices.Contains(names, m) {
			return warn(fmt.Sprintf("the server lists %s, and not %s", list, m), "Use a name of the list with --model.")
		}
	}
	return ok(list)
}

// wrongClock is by how much clocks may differ, in seconds.
const wrongClock = 2

// clock holds the server's Date against ours.
func (e *endpoint) clock(context.Context) Finding {
	for _, a := range e.answers {
		if d, err := http.ParseTime(a.Header.Get("Date")); err == nil {
			return clockOff(d, a.Asked, a.Came)
		}
	}
	return skipped("no answer had a Date")
}

// clockOff judges the server's clock: it wrote a whole second, between our asking
// and the answer's coming.
func clockOff(date, asked, came time.Time) Finding {
	least, most := date.Sub(came).Seconds(), date.Add(time.Second).Sub(asked).Seconds()
	off, which := 0.0, ""
	if least > 0 {
		off, which = least, "ahead of"
	} else if most < 0 {
		off, which = -most, "behind"
	}
	if off < wrongClock {
		return ok("the server's Date agrees with this host's clock, as far as whole seconds tell")
	}
	return warn(fmt.Sprintf("the server's clock is %.0f s %s this host's", math.Floor(off), which),
		"Latencies are not affected. Logs and metrics of both cannot be laid side by side: set the clocks with NTP.")
}

func (e *endpoint) metrics(ctx context.Context) Finding {
	path := e.reach.Root + "/metrics"
	a, bad := e.page(ctx, path, mostMetrics)
	if bad != nil {
		return warn(bad.Seen, bad.Do)
	}
	if a.Status > 299 {
		return warn(path+" answers "+e.words(a), "The server's own counts (queue, KV cache, hits) cannot be read "+
			"here: "+
			"SGLang has them with --enable-metrics, and a gateway may hide them.")
	}
	return exposed(path, a.Body)
}
