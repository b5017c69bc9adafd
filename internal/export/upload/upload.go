// Package upload puts the files of a result folder into object storage, by PUT to a
// presigned address. It only reads the folder: whatever goes wrong, the local files
// stay as they are.
package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Most is the largest object that is sent, in bytes: S3's bound of a single PUT.
const Most = 5 << 30

// place stands in an address for the name of each file.
const place = "{file}"

// Upload says what to send where.
type Upload struct {
	// URL is the presigned address. With {file} in it each file is sent by itself,
	// without the folder as one archive, tar.zst.
	URL string
	// Dir is the folder whose files are sent, those of its subfolders too.
	Dir string
	// Parts are the files and folders in Dir that are sent, those that are missing left
	// out; empty is all.
	Parts []string
	// Tries is how often an object is tried, Pause the time before the second try,
	// twice as long before each further one. Zero is 5 tries and a second.
	Tries int
	Pause time.Duration
}

// errFinal is an answer that another try does not change.
type errFinal struct{ error }

// Send sends everything, and returns how many objects and bytes were taken. The error
// never shows the address, which is a secret.
func (u Upload) Send(ctx context.Context) (objects int, bytes int64, err error) {
	files, err := filesOf(u.Dir, u.Parts)
	if err != nil {
		return 0, 0, err
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment,
		ResponseHeaderTimeout: 2 * time.Minute}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	defer client.CloseIdleConnections()
	if !strings.Contains(u.URL, place) {
		n, err := u.archive(ctx, client, files)
		if err != nil {
			return 0, 0, err
		}
		return 1, n, nil
	}
	for _, name := range files {
		n, err := u.file(ctx, client, name)
		if err != nil {
			return objects, bytes, fmt.Errorf("%s: %w", name, err)
		}
		objects, bytes = objects+1, bytes+n
	}
	return objects, bytes, nil
}

// filesOf are the regular files below parts of a folder, by their path in it, but for those
// that are not whole.
func filesOf(dir string, parts []string) ([]string, error) {
	if len(parts) == 0 {
		parts = []string{"."}
	}
	var all []string
	for _, part := range parts {
		err := filepath.WalkDir(filepath.Join(dir, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
				return err
			}
			name, err := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(name))
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there are no files to send")
	}
	return all, nil
}

func (u Upload) file(ctx context.Context, client *http.Client, name string) (int64, error) {
	f, err := os.Open(filepath.Join(u.Dir, filepath.FromSlash(name)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	escaped := (&url.URL{Path: name}).EscapedPath()
	return u.put(ctx, client, strings.ReplaceAll(u.URL, place, escaped), f, "application/octet-stream")
}

// put sends a file, with further tries.
func (u Upload) put(ctx context.Context, client *http.Client, address string, f *os.File, kind string) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > Most {
		return 0, fmt.Errorf("%d bytes are more than one PUT may have (%d)", info.Size(), int64(Most))
	}
	tries, pause := u.Tries, u.Pause
	if tries <= 0 {
		tries = 5
	}
	if pause <= 0 {
		pause = time.Second
	}
	for try := 1; ; try++ {
		err = putOnce(ctx, client, address, io.NewSectionReader(f, 0, info.Size()), kind)
		var final errFinal
		if err == nil || errors.As(err, &final) || try == tries || ctx.Err() != nil {
			break
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		pause *= 2
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// putOnce sends a file, with its length: object storage takes no chunks.
func putOnce(ctx context.Context, client *http.Client, address string, body *io.SectionReader, kind string) error {
	// A megabyte in ten seconds is the slowest that is waited for.
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(body.Size()>>20)*10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, io.NopCloser(body))
	if err != nil {
		return errFinal{errors.New("the address cannot be used")}
	}
	req.ContentLength = body.Size()
	if body.Size() == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("Content-Type", kind)
	if strings.Contains(req.URL.Host, ".blob.") { // Azure wants it, and others do not sign it
		req.Header.Set("X-Ms-Blob-Type", "BlockBlob")
	}
	res, err := client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address
		}
		return fmt.Errorf("%s: %w", req.URL.Host, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // so that the connection can be used again
	return answer(req.URL.Host, res.StatusCode)
}

// answer is the error of a status.
func answer(host string, status int) error {
	err := fmt.Errorf("%s answers HTTP %d", host, status)
	switch {
	case status/100 == 2:
		return nil
	case status == http.StatusForbidden:
		return errFinal{fmt.Errorf("%w: the address has expired, or was signed for something other than this PUT", err)}
	case status/100 == 5 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return err
	}
	return errFinal{err}
}
