package report

import (
	"fmt"
	"math"
	"strings"

	"headway/internal/plain"
	"headway/metric"
	"headway/record"
)

// shownWorkers is how many workers a table lists; all are in the JSON.
const shownWorkers = 64

const workersNote = "Workers as the replies name them. Busy: time with a request of this run, by this " +
	"client's clock. A worker that got no request is not known."

// workerRun is a run whose workers a table lists, by the cells that name it.
type workerRun struct {
	keys   []string
	report *Report
}

// workerTable lists what the workers of runs did, where a run has more than one;
// a simulated cluster has an account of its own.
func workerTable(d *Document, title string, keys []column, runs []workerRun) {
	t := table{title: title, keys: len(keys) + 1, columns: append(keys, column{title: "Worker", style: styleCyan},
		column{title: "Requests\nok/failed"}, column{title: "Prompt\ntokens"}, column{title: "Cached\n%"},
		column{title: "Output\ntokens"}, column{title: "Busy\ns", drop: 2}, column{title: "TTFT ms\navg"},
		column{title: "server's\nTTFT ms", drop: 1})}
	var imbalances []string
	for _, run := range runs {
		w := run.report.Result.Workers
		if len(w.Each) < 2 || run.report.Run.Cluster != nil {
			continue
		}
		for _, one := range w.Each[:min(len(w.Each), shownWorkers)] {
			t.rows = append(t.rows, append(append([]string{}, run.keys...), run.report.workerCells(one)...))
		}
		imbalances = append(imbalances, strings.TrimLeft(strings.Join(run.keys, " ")+" ", " ")+significant(w.Imbalance))
	}
	if len(t.rows) == 0 {
		return
	}
	d.gap()
	d.table(t)
	d.text("", "Imbalance (busiest worker over the mean): "+strings.Join(imbalances, ", ")+". "+workersNote)
}

func (r *Report) workerCells(w metric.Worker) []string {
	share := math.NaN()
	if w.CachedTokens >= 0 && w.PromptTokens > 0 {
		share = float64(w.CachedTokens) / float64(w.PromptTokens)
	}
	count := func(n int64) string { return plain.Grouped(fmt.Sprint(n)) }
	return []string{r.clean(w.Name), fmt.Sprintf("%d/%d", w.Requests-w.Failed, w.Failed), count(w.PromptTokens),
		percent(share), count(w.OutputTokens), significant(w.Busy), significant(1000 * w.TTFT),
		significant(1000 * w.ServerTTFT)}
}

// workerDocument is a worker in files.
type workerDocument struct {
	Name         string        `json:"name"`
	Requests     int           `json:"requests"`
	Failed       int           `json:"failed"`
	PromptTokens int64         `json:"prompt_tokens"`
	CachedTokens *int64        `json:"cached_tokens,omitempty"`
	OutputTokens int64         `json:"output_tokens"`
	Busy         float64       `json:"busy_s"`
	TTFT         record.Number `json:"time_to_first_token_avg_ms"`
	ServerTTFT   record.Number `json:"server_time_to_first_token_avg_ms"`
}

// workersDocument is what is known of the workers, nil where nothing is.
type workersDocument struct {
	Imbalance record.Number    `json:"imbalance"`
	HitRate   record.Number    `json:"router_kv_hit_rate"`
	Each      []workerDocument `json:"each"`
}

func (r *Report) workers() *workersDocument {
	w := r.Result.Workers
	if len(w.Each) == 0 {
		return nil
	}
	d := &workersDocument{Imbalance: record.Number(w.Imbalance), HitRate: record.Number(w.HitRate)}
	for _, one := range w.Each {
		x := workerDocument{Name: r.Secrets.Text(one.Name), Requests: one.Requests, Failed: one.Failed,
			PromptTokens: one.PromptTokens, OutputTokens: one.OutputTokens, Busy: one.Busy,
			TTFT: record.Number(1000 * one.TTFT), ServerTTFT: record.Number(1000 * one.ServerTTFT)}
		if one.CachedTokens >= 0 {
			x.CachedTokens = &one.CachedTokens
		}
		d.Each = append(d.Each, x)
	}
	return d
}
