package cluster

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"headway/internal/openai"
)

// ServeHTTP answers one request. It routes by hand and not with a ServeMux,
// whose own 404 and 405 are plain text where a client of this API expects an
// error object.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		refuse(w, unavailable("the server is shutting down"))
		return
	}
	defer s.handlers.Done()
	serve, methods := s.route(r.URL.Path)
	switch {
	case serve == nil:
		refuse(w, notFound("", "nothing is served at "+r.URL.Path))
	case !allowed(methods, r.Method):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		refuse(w, &openai.ServerError{
			Status: http.StatusMethodNotAllowed, Type: "invalid_request_error",
			Message: fmt.Sprintf("%s is not allowed at %s: use %s", r.Method, r.URL.Path,
				strings.Join(methods, " or ")),
		})
	case strings.HasPrefix(r.URL.Path, "/v1/") && !s.authorised(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, &openai.ServerError{
			Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "invalid_api_key",
			Message: "the API key is missing or wrong: send it as Authorization: Bearer KEY",
		})
	default:
		serve(w, r)
	}
}

// enter counts a handler in, unless the server has shut down.
func (s *Server) enter() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if !s.closed {
		s.handlers.Add(1)
	}
	return !s.closed
}

// route finds who answers at a path, and to which methods.
func (s *Server) route(path string) (http.HandlerFunc, []string) {
	get, post := []string{http.MethodGet, http.MethodHead}, []string{http.MethodPost}
	switch path {
	case "/v1/chat/completions":
		return func(w http.ResponseWriter, r *http.Request) { s.complete(w, r, true) }, post
	case "/v1/completions":
		return func(w http.ResponseWriter, r *http.Request) { s.complete(w, r, false) }, post
	case "/v1/models":
		return s.models, get
	case "/health":
		return s.health, get
	case "/metrics":
		return s.metrics, get
	}
	if strings.HasPrefix(path, "/v1/models/") {
		return s.model, get
	}
	return nil, nil
}

func allowed(methods []string, method string) bool {
	for _, m := range methods {
		if m == method {
			return true
		}
	}
	return false
}

func (s *Server) authorised(r *http.Request) bool {
	if s.cfg.APIKey == "" {
		return true
	}
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return bearer && subtle.ConstantTimeCompare([]byte(key), []byte(s.cfg.APIKey)) == 1
}

// started reports whether the worker has begun, and otherwise refuses.
func (s *Server) started(w http.ResponseWriter) bool {
	left := s.cfg.Cluster.Engine.StartupTime - s.driver.now()
	if left <= 0 {
		return true
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(left/time.Second)+1))
	refuse(w, unavailable(fmt.Sprintf("the model is loading: ready in %v", left.Round(time.Millisecond))))
	return false
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	if s.started(w) {
		w.WriteHeader(http.StatusOK)
	}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	if s.started(w) {
		respond(w, http.StatusOK, openai.ServerModels(s.names(), s.created, s.cfg.MaxModelLen))
	}
}

// model describes one model. Names may hold slashes.
func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	if !s.started(w) {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/v1/models/")
	if _, refusal := s.adapter(name); refusal != nil {
		refuse(w, refusal)
		return
	}
	respond(w, http.StatusOK, openai.ServerModel(name, s.created, s.cfg.MaxModelLen))
}

// names are those of the model and of its adapters.
func (s *Server) names() []string {
	all := []string{s.cfg.Model}
	for i := range s.cfg.Cluster.Adapters {
		all = append(all, adapterName(uint64(i+1)))
	}
	return all
}

// adapter is what a request for a model by that name asks for, 0 for the model itself.
func (s *Server) adapter(name string) (uint64, *openai.ServerError) {
	if name == s.cfg.Model {
		return 0, nil
	}
	if adapter := s.cfg.Cluster.adapterNamed(name); adapter > 0 {
		return adapter, nil
	}
	return 0, s.unknownModel(name)
}

func (s *Server) unknownModel(name string) *openai.ServerError {
	e := notFound("model", fmt.Sprintf("the model %q does not exist here: the one that is "+
		"served is %q", name, s.cfg.Model))
	e.Code = "model_not_found"
	return e
}

func notFound(param, message string) *openai.ServerError {
	return &openai.ServerError{Status: http.StatusNotFound, Type: "invalid_request_error", Param: param,
		Message: message}
}

func invalid(message string) *openai.ServerError {
	return &openai.ServerError{Status: http.StatusBadRequest, Type: "invalid_request_error", Message: message}
}

func unavailable(message string) *openai.ServerError {
	return &openai.ServerError{Status: http.StatusServiceUnavailable, Type: "server_error", Message: message}
}

// tooLong says that prompt and output do not fit into limit tokens.
func tooLong(limit, prompt, output int) *openai.ServerError {
	return &openai.ServerError{
		Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "context_length_exceeded",
		Message: fmt.Sprintf("a prompt of %d tokens and an output of %d are more than the %d tokens that fit: "+
			"shorten one of them",
			prompt, output, limit),
	}
}

func refuse(w http.ResponseWriter, e *openai.ServerError) { respond(w, e.Status, e.Body()) }

// respond writes a whole JSON body. An error of the write means that the
// client is gone, and there is nobody left to tell.
func respond(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
