package upload

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// archive packs the files into a temporary file and sends that: its length has to be
// known before.
func (u Upload) archive(ctx context.Context, client *http.Client, files []string) (int64, error) {
	f, err := os.CreateTemp("", "headway-*.tar.zst")
	if err != nil {
		return 0, fmt.Errorf("packing the results: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := pack(f, u.Dir, files); err != nil {
		return 0, fmt.Errorf("packing the results: %w", err)
	}
	return u.put(ctx, client, u.URL, f, "application/zstd")
}

// pack writes files below a folder as tar.zst, with the folder's name before theirs.
func pack(w io.Writer, dir string, files []string) error {
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, name := range files {
		if err := add(t, dir, name); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func add(t *tar.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := &tar.Header{Name: path.Join(filepath.Base(dir), name), Mode: 0o644, Size: info.Size(),
		ModTime: info.ModTime(), Typeflag: tar.TypeReg}
	if err := t.WriteHeader(head); err != nil {
		return err
	}
	_, err = io.CopyN(t, f, info.Size())
	return err
}
