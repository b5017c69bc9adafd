package metric

import "headway/record"

// ICL appends the inter-chunk latencies of one request to dst, in seconds: the
// gaps between one arrival with text and the next. Gaps of zero are kept (two
// chunks of one read); a single negative gap makes the whole list suspect and
// none is appended. Replies with one chunk have no gap, and those of a Sparse
// Record have gaps that nobody knows.
func ICL(r *record.Record, dst []float64) []float64 {
	if !r.Streamed || r.Sparse || !Valid(r) {
		return dst
	}
	n := len(dst)
	var last record.Time
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Kind.Text() {
			continue
		}
		if a.At < last {
			return dst[:n]
		}
		if last.Known() {
			dst = append(dst, seconds(a.At-last))
		}
		last = a.At
	}
	return dst
}

func interChunkLatency() Metric {
	return latency(Metric{
		Tag: "inter_chunk_latency", Kind: PerList, Streaming: true,
		Formula: "gaps between consecutive arrivals with text, all requests pooled; a request with a negative gap " +
			"gives none; absent where only the first and the last are known",
		Where: "icl.go", values: ICL,
	})
}
