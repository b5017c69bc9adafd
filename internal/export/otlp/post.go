package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// mostAnswer is how much of an answer is read.
const mostAnswer = 64 << 10

// post sends a message and has the answer read. Of the answer nothing is shown: it may
// repeat the headers that it was sent.
func (e *Exporter) post(address string, body []byte, read func([]byte) error) error {
	ctx, cancel := context.WithTimeout(e.ctx, e.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("its address cannot be used")
	}
	for name, values := range e.c.Headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "headway/"+e.c.Version)
	res, err := e.client.Do(req)
	if err != nil {
		return withoutAddress(err, req.URL)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	switch {
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusBadGateway ||
		res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusGatewayTimeout:
		return errBusy{res.StatusCode, retryAfter(res.Header.Get("Retry-After"))}
	case res.StatusCode/100 != 2:
		return fmt.Errorf("%s answers HTTP %d", req.URL.Host, res.StatusCode)
	case err != nil:
		return withoutAddress(err, req.URL)
	case strings.HasPrefix(res.Header.Get("Content-Type"), "application/json"):
		return nil // some collectors answer so; what it says of rejected parts is not read
	}
	if err := read(answer); err != nil {
		return fmt.Errorf("%s answers HTTP %d with %w", req.URL.Host, res.StatusCode, err)
	}
	return nil
}

// withoutAddress is the cause of a failed request: net/http puts the address before
// it, and that may hold a key.
func withoutAddress(err error, u *url.URL) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("%s: %w", u.Host, err)
}

func retryAfter(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	return time.Second
}

var errForeign = errors.New("something that is not OTLP")

// errRejected is an answer that took a message but for so many of its parts.
type errRejected struct {
	n    int64
	what string
}

func (e errRejected) Error() string { return fmt.Sprintf("%d rejected %s", e.n, e.what) }

// readTraces reads how many spans were rejected.
func (e *Exporter) readTraces(answer []byte) error {
	var res collectortrace.ExportTraceServiceResponse
	if proto.Unmarshal(answer, &res) != nil {
		return errForeign
	}
	if n := res.GetPartialSuccess().GetRejectedSpans(); n > 0 {
		return errRejected{n, "spans"}
	}
	return nil
}

// readMetrics reads how many points were rejected.
func (e *Exporter) readMetrics(answer []byte) error {
	var res collectormetrics.ExportMetricsServiceResponse
	if proto.Unmarshal(answer, &res) != nil {
		return errForeign
	}
	if n := res.GetPartialSuccess().GetRejectedDataPoints(); n > 0 {
		return errRejected{n, "data points"}
	}
	return nil
}
