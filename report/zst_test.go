package report

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestZst(t *testing.T) {
	text := bytes.Repeat([]byte(`{"metadata":{"session_num":45}}`+"\n"), 5000)
	packed := render(t, func(b *bytes.Buffer) error {
		z, err := NewZst(b)
		if err != nil {
			return err
		}
		if _, err := z.Write(text); err != nil {
			return err
		}
		return z.Close()
	})
	d, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := io.ReadAll(d)
	if err != nil || !bytes.Equal(got, text) || len(packed) > len(text)/100 {
		t.Errorf("%d bytes of %d, read back %d: %v", len(packed), len(text), len(got), err)
	}
}
