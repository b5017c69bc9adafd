package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func (f *fakeAPI) watch(w http.ResponseWriter, r *http.Request, resource string) {
	var from int
	_, _ = fmt.Sscan(r.URL.Query().Get("resourceVersion"), &from)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(200)
	out := json.NewEncoder(w)
	f.mu.Lock()
	drop := f.drop
	expired := from < f.oldest
	f.mu.Unlock()
	if expired {
		_ = out.Encode(map[string]any{"type": "ERROR", "object": statusOf(410, "Expired", "too old resource version")})
		return
	}
	for {
		f.mu.Lock()
		var news []change
		for _, c := range f.history {
			if c.version > from && c.resource == resource && wanted(r, c.object) {
				news = append(news, c)
			}
		}
		changed := f.changed
		f.mu.Unlock()
		for _, c := range news {
			from = c.version
			_ = out.Encode(map[string]any{"type": c.kind, "object": c.object})
		}
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-drop:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

// log sends what is there, and with follow what comes. Each line is stamped
// with its number as seconds.
func (f *fakeAPI) log(w http.ResponseWriter, r *http.Request, pod string) {
	q := r.URL.Query()
	key := pod
	if q.Get("previous") == "true" {
		key += "/previous"
	}
	since, _ := time.Parse(time.RFC3339Nano, q.Get("sinceTime"))
	f.mu.Lock()
	_, known := f.logs[key]
	f.mu.Unlock()
	if !known {
		reply(w, 400, statusOf(400, "BadRequest", "no such log"))
		return
	}
	sent := 0
	for {
		f.mu.Lock()
		text, changed, drop := f.logs[key], f.changed, f.drop
		f.mu.Unlock()
		lines := strings.SplitAfter(text, "\n")
		for ; sent < len(lines); sent++ {
			at := time.Unix(int64(sent+1), 0).UTC()
			if !strings.HasSuffix(lines[sent], "\n") || at.Before(since) {
				if lines[sent] == "" {
					break
				}
				continue
			}
			if q.Get("timestamps") == "true" {
				fmt.Fprint(w, at.Format(time.RFC3339Nano), " ")
			}
			_, _ = io.WriteString(w, lines[sent])
		}
		w.(http.Flusher).Flush()
		if q.Get("follow") != "true" || strings.HasSuffix(text, "\x04") {
			return
		}
		select {
		case <-changed:
		case <-drop:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

// write appends to a pod's log.
func (f *fakeAPI) write(pod, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs[pod] += text
	close(f.changed)
	f.changed = make(chan struct{})
}

// breakAll breaks every watch and stream.
func (f *fakeAPI) breakAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.drop)
	f.drop = make(chan struct{})
}

// setDown refuses everything, or nothing again; expire forgets the history.
func (f *fakeAPI) setDown(down, expire bool) {
	f.mu.Lock()
	f.down = down
	if expire {
		f.oldest = f.version + 1
		f.version++
	}
	f.mu.Unlock()
	f.breakAll()
}
