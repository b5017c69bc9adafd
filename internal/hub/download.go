package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
)

const (
	connectLimit = 5 * time.Second  // a machine without a network must not wait for long
	headerLimit  = 30 * time.Second // from the request to the first byte of the answer
	stallLimit   = 60 * time.Second // between two bytes of the content
	hopLimit     = 10
	// sizeLimit bounds a file whatever the hub says of its size: what is fetched
	// is tokenizers and configurations, of which the largest have 35 MB.
	sizeLimit = 256 * bound.MiB
)

// download fetches one file of a model into the cache.
type download struct {
	options     Options
	model, file string
	repository  repository
	stall       time.Duration
}

// answer is what the hub and, behind its redirects, the store of large files
// say about a file.
type answer struct {
	*http.Response
	commit string
	etag   string
	digest string // SHA-256 of the content, "" where the hub does not say
	size   int64  // -1: not known
}

func (d download) run(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := d.client()
	defer client.CloseIdleConnections()
	a, err := d.open(ctx, client)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	if !d.repository.has(a.etag, a.size) || a.size < 0 {
		if err := d.fetch(ctx, cancel, a); err != nil {
			return "", err
		}
	}
	path, err := d.repository.publish(a.commit, d.file, a.etag)
	if err != nil {
		return "", d.fail(Storage, "", err)
	}
	return path, nil
}

func (d download) fail(kind Kind, detail string, err error) *Error {
	return &Error{Model: d.model, File: d.file, Kind: kind, Detail: detail, Err: err}
}

// client returns a client that leaves redirects to open: Go's own keeps the
// Authorization header for subdomains of the first host.
func (d download) client() *http.Client {
	var c http.Client
	if d.options.Client != nil {
		c = *d.options.Client
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t = t.Clone()
		t.DialContext = (&net.Dialer{Timeout: connectLimit}).DialContext
		t.TLSHandshakeTimeout = connectLimit
		t.ResponseHeaderTimeout = headerLimit
		c.Transport = t
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// open asks for the file and follows redirects to where it is.
func (d download) open(ctx context.Context, client *http.Client) (*answer, error) {
	base, err := url.Parse(d.options.Endpoint)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, d.fail(BadName, "HF_ENDPOINT is not an http or https URL", nil)
	}
	at := base.JoinPath(append([]string{d.model, "resolve", url.PathEscape(d.repository.revision)},
		escaped(d.file)...)...)
	a := &answer{size: -1}
	for range hopLimit {
		if a.Response, err = d.get(ctx, client, at, base); err != nil {
			return nil, err
		}
		a.note(sameHost(at, base))
		switch {
		case a.StatusCode >= 300 && a.StatusCode < 400:
			a.Body.Close()
			next, err := a.Location()
			if err != nil || next.Scheme != "http" && next.Scheme != "https" {
				return nil, d.fail(Server, "it redirects to no usable place", nil)
			}
			at = next
		case a.StatusCode != http.StatusOK:
			a.Body.Close()
			return nil, d.refused(a.Response, at)
		default:
			return a, d.complete(a)
		}
	}
	return nil, d.fail(Server, "it redirects in circles", nil)
}

// get sends the token to the hub's own host only: a redirect leads to storage of
// someone else, with access of its own in the URL.
func (d download) get(ctx context.Context, client *http.Client, at, base *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, d.fail(Server, "it redirects to no usable place", nil)
	}
	// The size and the digest are those of the content as it is.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "headway")
	if d.options.Token != "" && sameHost(at, base) {
		req.Header.Set("Authorization", "Bearer "+d.options.Token)
	}
	resp, err := client.Do(req)
	if err == nil {
		return resp, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("getting %s of model %q: %w", d.file, d.model, ctx.Err())
	}
	// The cause alone: the URL around it may hold access rights.
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	return nil, d.fail(Offline, "cannot reach "+at.Host, err)
}

func escaped(file string) []string {
	parts := strings.Split(file, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return parts
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// note keeps what the headers say. The X- headers count from the hub only; the
// plain ones of a later host take nothing back.
func (a *answer) note(hub bool) {
	h := a.Header
	if hub {
		if c := h.Get("X-Repo-Commit"); c != "" {
			a.commit = c
		}
		if tag := plainTag(h.Get("X-Linked-Etag")); tag != "" {
			a.etag = tag
			if len(tag) == sha256.Size*2 && isHex(tag) {
				a.digest = tag
			}
		}
		if n, err := strconv.ParseInt(h.Get("X-Linked-Size"), 10, 64); err == nil && n >= 0 {
			a.size = n
		}
	}
	if a.StatusCode == http.StatusOK {
		if a.etag == "" {
			a.etag = plainTag(h.Get("Etag"))
		}
		if a.size < 0 {
			a.size = a.ContentLength
		}
	}
}

// plainTag is an entity tag without the marks around it, or "" when it cannot be
// the name of a file.
func plainTag(tag string) string {
	tag = strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
	if tag == "" || len(tag) > 128 || tag[0] == '.' || !isPlain(tag) {
		return ""
	}
	return tag
}

// complete checks that the answer says all that the cache needs.
func (d download) complete(a *answer) error {
	if a.commit == "" && isCommit(d.repository.revision) {
		a.commit = d.repository.revision
	}
	switch {
	case !isCommit(a.commit):
		a.Body.Close()
		return d.fail(Server, "its answer names no commit (X-Repo-Commit), so it is no Hugging Face hub", nil)
	case a.etag == "":
		a.Body.Close()
		return d.fail(Server, "its answer has no usable entity tag", nil)
	case a.Header.Get("Content-Encoding") != "" && a.Header.Get("Content-Encoding") != "identity":
		a.Body.Close()
		return d.fail(Server, "it sends the file encoded, which was not asked for", nil)
	}
	return nil
}

// refused makes an error of an answer that is not the file.
func (d download) refused(resp *http.Response, at *url.URL) error {
	detail := fmt.Sprintf("%s answers %d", at.Host, resp.StatusCode)
	if code := resp.Header.Get("X-Error-Code"); code != "" && isPlain(code) && len(code) < 64 {
		detail += " " + code
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		if d.options.Token == "" {
			detail += ", which it does for models that do not exist, too"
		}
		return d.fail(Unauthorized, detail, nil)
	case http.StatusNotFound, http.StatusGone:
		return d.fail(NotFound, detail+" for revision "+d.repository.revision, nil)
	}
	return d.fail(Server, detail, nil)
}

var (
	errStalled = errors.New("nothing arrived for too long")
	errDigest  = errors.New("the content does not have the digest that the hub states")
)

// fetch copies the content into the cache.
func (d download) fetch(ctx context.Context, cancel context.CancelCauseFunc, a *answer) error {
	if a.size > int64(d.options.MaxBytes) {
		return d.fail(Server, fmt.Sprintf("the file has %v, and no more than %v are fetched: raise "+
			"--max-download-bytes, or fetch it by hand and name its path", bound.Bytes(a.size),
			d.options.MaxBytes), nil)
	}
	watch := time.AfterFunc(d.stall, func() { cancel(errStalled) })
	defer watch.Stop()
	sum := sha256.New()
	content := &watched{body: io.TeeReader(&capped{a.Body, int64(d.options.MaxBytes)}, sum),
		touch: func() { watch.Reset(d.stall) }}
	err := d.repository.keep(a.etag, content, func(n int64) error { return a.check(n, sum) })
	var storage storageError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &storage):
		return d.fail(Storage, "", storage.error)
	case errors.Is(context.Cause(ctx), errStalled):
		return d.fail(Incomplete, "", errStalled)
	case ctx.Err() != nil:
		return fmt.Errorf("getting %s of model %q: %w", d.file, d.model, ctx.Err())
	}
	return d.fail(Incomplete, "", err)
}

// check says whether n bytes with this digest are the whole file.
func (a *answer) check(n int64, sum hash.Hash) error {
	if a.size >= 0 && n != a.size {
		return fmt.Errorf("%d of %d bytes arrived", n, a.size)
	}
	if a.digest != "" && hex.EncodeToString(sum.Sum(nil)) != a.digest {
		return errDigest
	}
	return nil
}

// capped ends a body that is larger than it may be with an error. A hub that does
// not say the size would otherwise fill the disk.
type capped struct {
	body io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.body.Read(p[:min(int64(len(p)), c.left+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, fault.New("%w: raise %s, or fetch the file by hand and name its path", bound.ErrTooLarge,
			fault.Field("max-download-bytes"))
	}
	return n, err
}

// watched tells of every read that brought something.
type watched struct {
	body  io.Reader
	touch func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.touch()
	}
	return n, err
}
