package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// fakeAPI is an API server of one namespace: objects, watches with a history,
// logs, access reviews and port-forwards, over real HTTP.
type fakeAPI struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	version int
	objects map[string]map[string]map[string]any // by resource and name
	history []change
	changed chan struct{} // closed at each change
	drop    chan struct{} // closed to break all watches and logs
	down    bool
	oldest  int // versions before it are expired
	denied  map[string]bool
	graphs  bool              // the API has Dynamo's kinds
	logs    map[string]string // by pod; "pod/previous" of the one before
	lost    int               // creations to answer with a broken connection
	calls   map[string]int
	// made is called, unlocked, for each deployment that is created.
	made func(name string)
	// forward is where port-forwards lead.
	forward string
}

type change struct {
	version        int
	kind, resource string
	object         map[string]any
}

const testNamespace = "ns"

func newFakeAPI(t *testing.T) *fakeAPI {
	f := &fakeAPI{t: t, objects: map[string]map[string]map[string]any{}, changed: make(chan struct{}),
		drop:   make(chan struct{}),
		denied: map[string]bool{}, logs: map[string]string{}, calls: map[string]int{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(func() { f.breakAll(); f.server.Close() })
	return f
}

// cluster is a client of it.
func (f *fakeAPI) cluster() *Cluster {
	c := &Cluster{Namespace: testNamespace, Server: f.server.URL}
	if err := c.open(&rest.Config{Host: f.server.URL}); err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "version" {
		reply(w, 200, map[string]any{"major": "1"})
		return
	}
	if strings.HasSuffix(r.URL.Path, "selfsubjectaccessreviews") {
		f.review(w, r)
		return
	}
	at := slices.Index(parts, "namespaces")
	if at < 0 || len(parts) < at+3 {
		f.clusterWide(w, r, parts)
		return
	}
	resource, name, sub := parts[at+2], "", ""
	if len(parts) > at+3 {
		name = parts[at+3]
	}
	if len(parts) > at+4 {
		sub = parts[at+4]
	}
	f.mu.Lock()
	f.calls[r.Method+" "+resource]++
	f.mu.Unlock()
	switch {
	case sub == "log":
		f.log(w, r, name)
	case sub == "portforward":
		f.portforward(w, r)
	case r.Method == http.MethodPost:
		f.create(w, r, resource)
	case r.Method == http.MethodDelete:
		f.remove(w, r, resource, name)
	case name != "":
		f.get(w, resource, name)
	case r.URL.Query().Get("watch") != "":
		f.watch(w, r, resource)
	default:
		f.list(w, r, resource)
	}
}

// clusterWide lists what is of no namespace, or of all, and tells what APIs there are.
func (f *fakeAPI) clusterWide(w http.ResponseWriter, r *http.Request, parts []string) {
	last := parts[len(parts)-1]
	f.mu.Lock()
	denied, graphs := f.denied["list "+last], f.graphs
	f.mu.Unlock()
	switch {
	case denied:
		reply(w, 403, statusOf(403, "Forbidden", last+" is forbidden"))
	case len(parts) > 1 && parts[len(parts)-2] == "namespaces" && last == testNamespace:
		reply(w, 200, map[string]any{"kind": "Namespace"})
	case last == "nodes" || last == "pods":
		f.list(w, r, last)
	case r.URL.Path == "/apis/nvidia.com" && graphs:
		reply(w, 200, map[string]any{"kind": "APIGroup", "versions": []any{
			map[string]any{"groupVersion": "nvidia.com/v1alpha1", "version": "v1alpha1"}}})
	case r.URL.Path == "/apis/nvidia.com/v1alpha1" && graphs:
		reply(w, 200, map[string]any{"kind": "APIResourceList", "resources": []any{
			map[string]any{"name": "dynamographdeployments"}, map[string]any{"name": "dynamographdeployments/status"}}})
	default:
		reply(w, 404, status404(r.URL.Path))
	}
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func statusOf(code int, reason, message string) map[string]any {
	return map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
		"message": message}
}

func status404(what string) map[string]any {
	return statusOf(404, "NotFound", what+" not found")
}

func (f *fakeAPI) review(w http.ResponseWriter, r *http.Request) {
	var got map[string]any
	_ = json.NewDecoder(r.Body).Decode(&got)
	a := got["spec"].(map[string]any)["resourceAttributes"].(map[string]any)
	text := func(k string) string { s, _ := a[k].(string); return s }
	key := text("verb") + " " + text("resource")
	if s := text("subresource"); s != "" {
		key += "/" + s
	}
	f.mu.Lock()
	got["status"] = map[string]any{"allowed": !f.denied[key]}
	f.mu.Unlock()
	reply(w, 201, got)
}

func (f *fakeAPI) create(w http.ResponseWriter, r *http.Request, resource string) {
	var o map[string]any
	_ = json.NewDecoder(r.Body).Decode(&o)
	name := meta(o)["name"].(string)
	f.mu.Lock()
	if f.objects[resource][name] != nil {
		f.mu.Unlock()
		reply(w, 409, statusOf(409, "AlreadyExists", name+" already exists"))
		return
	}
	f.mu.Unlock()
	f.put(resource, o)
	if f.made != nil {
		f.made(name)
	}
	f.mu.Lock()
	lost := f.lost > 0
	f.lost--
	f.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	f.get(w, resource, name)
}

func meta(o map[string]any) map[string]any {
	m, ok := o["metadata"].(map[string]any)
	if !ok {
		m = map[string]any{}
		o["metadata"] = m
	}
	return m
}

// put creates or replaces an object.
func (f *fakeAPI) put(resource string, o map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := meta(o)
	name := m["name"].(string)
	if f.objects[resource] == nil {
		f.objects[resource] = map[string]map[string]any{}
	}
	f.version++
	kind := "ADDED"
	if old := f.objects[resource][name]; old != nil {
		kind = "MODIFIED"
		m["uid"] = meta(old)["uid"]
	} else {
		m["uid"] = fmt.Sprintf("uid-%d", f.version)
	}
	m["namespace"], m["resourceVersion"] = testNamespace, fmt.Sprint(f.version)
	f.objects[resource][name] = o
	f.tell(kind, resource, o)
}

// tell is called with the lock held.
func (f *fakeAPI) tell(kind, resource string, o map[string]any) {
	f.history = append(f.history, change{f.version, kind, resource, deepCopy(o)})
	close(f.changed)
	f.changed = make(chan struct{})
}

func deepCopy(o map[string]any) map[string]any {
	b, _ := json.Marshal(o)
	var out map[string]any
	_ = json.Unmarshal(b, &out)
	return out
}

// change edits an object.
func (f *fakeAPI) change(resource, name string, edit func(o map[string]any)) {
	f.mu.Lock()
	o := deepCopy(f.objects[resource][name])
	f.mu.Unlock()
	edit(o)
	f.put(resource, o)
}

// delete removes an object, as another hand would.
func (f *fakeAPI) delete(resource, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o := f.objects[resource][name]; o != nil {
		f.version++
		delete(f.objects[resource], name)
		meta(o)["resourceVersion"] = fmt.Sprint(f.version)
		f.tell("DELETED", resource, o)
	}
}

func (f *fakeAPI) remove(w http.ResponseWriter, r *http.Request, resource, name string) {
	var options struct {
		Preconditions struct {
			UID string `json:"uid"`
		} `json:"preconditions"`
	}
	_ = json.NewDecoder(r.Body).Decode(&options)
	f.mu.Lock()
	o := f.objects[resource][name]
	f.mu.Unlock()
	switch {
	case o == nil:
		reply(w, 404, status404(name))
	case options.Preconditions.UID != "" && options.Preconditions.UID != meta(o)["uid"]:
		reply(w, 409, statusOf(409, "Conflict", "the UID is another"))
	default:
		f.delete(resource, name)
		// What an operator and the garbage collector do, a little later.
		time.AfterFunc(20*time.Millisecond, func() {
			for _, kind := range []string{"pods", "services"} {
				for _, n := range f.names(kind) {
					if strings.HasPrefix(n, name+"-") {
						f.delete(kind, n)
					}
				}
			}
		})
		reply(w, 200, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	}
}

func (f *fakeAPI) names(resource string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.objects[resource]))
}

func (f *fakeAPI) get(w http.ResponseWriter, resource, name string) {
	f.mu.Lock()
	o := deepCopy(f.objects[resource][name])
	f.mu.Unlock()
	if o == nil {
		reply(w, 404, status404(name))
		return
	}
	reply(w, 200, o)
}

// wanted says whether an object fits the selectors of a request.
func wanted(r *http.Request, o map[string]any) bool {
	labels, _ := meta(o)["labels"].(map[string]any)
	for pair := range strings.SplitSeq(r.URL.Query().Get("labelSelector"), ",") {
		if k, v, ok := strings.Cut(pair, "="); ok && labels[k] != v {
			return false
		}
	}
	_, name, named := strings.Cut(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	return !named || meta(o)["name"] == name
}

func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request, resource string) {
	f.mu.Lock()
	items := []any{}
	for _, name := range slices.Sorted(maps.Keys(f.objects[resource])) {
		if o := f.objects[resource][name]; wanted(r, o) {
			items = append(items, deepCopy(o))
		}
	}
	version := f.version
	f.mu.Unlock()
	reply(w, 200, map[string]any{"kind": "List", "apiVersion": "v1",
		"metadata": map[string]any{"resourceVersion": fmt.Sprint(version)}, "items": items})
}
