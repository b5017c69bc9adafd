package cluster

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/internal/tokenizer"
	"headway/record"
	"headway/workload"
)

// liveReply is what a client saw of a request to the server.
type liveReply struct {
	worker string
	cached int
	ttft   time.Duration
}

// ask sends a chat and reads the stream.
func (e *endpoint) ask(body string) (liveReply, error) {
	var l liveReply
	began := time.Now()
	resp, err := e.client.Post(e.url+chatPath, "application/json", strings.NewReader(body))
	if err != nil {
		return l, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var c struct {
			chunk
			Nvext struct {
				WorkerID struct {
					Decode int `json:"decode_worker_id"`
				} `json:"worker_id"`
			}
		}
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return l, fmt.Errorf("%s: %w", data, err)
		}
		if l.ttft == 0 && len(c.Choices) > 0 && c.Choices[0].Delta.Content != "" {
			l.ttft = time.Since(began)
		}
		if c.Usage != nil {
			l.worker, l.cached = strconv.Itoa(c.Nvext.WorkerID.Decode), *c.Usage.PromptTokensDetails.CachedTokens
		}
	}
	if header := resp.Header.Get("X-Worker-Id"); header != l.worker {
		return l, fmt.Errorf("status %d: the header names worker %q, the usage %q", resp.StatusCode, header, l.worker)
	}
	return l, nil
}

// texts are prompts that share beginnings, of whole words.
func texts(n int) []string {
	tok, err := tokenizer.Builtin()
	if err != nil {
		panic(err)
	}
	words := tok.Words()
	make := func(key workload.Key, tokens int) string {
		var b strings.Builder
		rng := key.Rand()
		for range tokens {
			b.WriteString(words[rng.IntN(len(words))])
		}
		return b.String()
	}
	key := workload.Seed(11)
	var all []string
	for i := range n {
		group := key.Named("group").Index(int(key.Named("draw").Index(i)) & 7)
		all = append(all, make(group, 512)+make(key.Named("own").Index(i), 200))
	}
	return all
}

// A live server and a replay send the same requests to the same workers, and
// the first tokens come as late. A request that goes elsewhere changes what is
// cached for all after it, and on a machine that is busy with other things one
// may; so the load is light, slowed down, and gets three tries. Where the machine
// was late in all of them, nothing is known.
func TestServeAgreesWithReplay(t *testing.T) {
	t.Parallel()
	const n, gap, output, tries = 40, 156 * time.Millisecond, 1, 3
	c := Defaults()
	c.Workers, c.Router.Mode, c.Seed = 4, router.KV, workload.Seed(5)
	c.Engine = engine.Config{SpeedupRatio: 0.15, NumGPUBlocks: 400}
	prompts := texts(n)
	records, facts, _ := replayed(t, c, workload.Plan{Source: func(yield func(workload.Request, error) bool) {
		for i, text := range prompts {
			if !yield(workload.Request{Index: i, At: time.Duration(i) * gap, Timed: true,
				Session: strconv.Itoa(i), Turns: 1,
				OutputTokens: output, Prompt: workload.Prompt{Text: text}}, nil) {
				return
			}
		}
	}})
	slices.SortFunc(records, func(a, b *record.Record) int { return cmp.Compare(a.Index, b.Index) })
	if facts.HitRate < 0.2 {
		t.Fatalf("hit rate %.2f: the load is not one in which routing matters", facts.HitRate)
	}
	punctual := false
	for try := range tries {
		live, late := askAll(t, c, prompts, gap, output)
		same, ratio := compare(t, records, live)
		punctual = punctual || late < gap/20
		switch {
		case float64(same) >= 0.99*n && ratio >= 0.95 && ratio <= 1.05:
			return
		case try == tries-1 && !punctual:
			t.Skipf("this machine sent up to %v late in every try", late)
		case try == tries-1:
			t.Errorf("%d of %d requests went to the same worker, and the median TTFT is %.3f of the replay's",
				same, n, ratio)
		}
	}
}

// askAll sends chats at their times to a server of its own; late is by how much
// the latest was sent after its time.
func askAll(t *testing.T, c Config, prompts []string, gap time.Duration, output int) (live []liveReply,
	late time.Duration) {
	e := serve(t, ServerConfig{Cluster: &c})
	defer e.stop()
	live = make([]liveReply, len(prompts))
	errs, began := make([]error, len(prompts)), time.Now()
	var wg sync.WaitGroup
	for i, text := range prompts {
		at := began.Add(time.Duration(i) * gap)
		<-time.After(time.Until(at))
		late = max(late, time.Since(at))
		wg.Go(func() {
			live[i], errs[i] = e.ask(chat(text, fmt.Sprintf(`,"max_tokens":%d,"stream":true,`+
				`"stream_options":{"include_usage":true}`, output)))
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return live, late
}

// compare counts the requests that had the same worker and found the same
// prefix there, and gives the live median TTFT over the replay's.
func compare(t *testing.T, records []*record.Record, live []liveReply) (same int, ratio float64) {
	var here, there []float64
	for i, r := range records {
		if live[i].worker == r.Worker && live[i].cached == r.Usage["prompt_cache_read_tokens"] {
			same++
		}
		here = append(here, float64(r.Arrivals[0].At-r.Start)/1e6)
		there = append(there, float64(live[i].ttft)/1e6)
	}
	slices.Sort(here)
	slices.Sort(there)
	n := len(records)
	t.Logf("same worker and hit %d of %d, median TTFT %.1f ms replayed and %.1f ms live", same, n,
		here[n/2], there[n/2])
	return same, there[n/2] / here[n/2]
}
