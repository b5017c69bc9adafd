package bound

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"1": 1, "512MiB": 512 * MiB, "2 GB": 2e9, "1.5gib": 3 * GiB / 2,
		"100kB": 100000, "7B": 7} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q is %d: %v", text, b, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "NaN", "inf", "1e30", "GiB", "5 apples"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, b)
		}
	}
	for b, want := range map[Bytes]string{5: "5 B", 2048: "2 KiB", 3 * GiB / 2: "1.5 GiB", 256 * MiB: "256 MiB"} {
		if b.String() != want {
			t.Errorf("%d is %q", int64(b), b.String())
		}
	}
}

func TestMemory(t *testing.T) {
	const meminfo = "MemTotal:       16777216 kB\nMemFree: 1 kB\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Bytes
	}{
		{"nothing is said", nil, assumed},
		{"no group", map[string]string{"proc/meminfo": meminfo}, 16 * GiB},
		{"v2 in a container", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "536870912\n"}, 512 * MiB},
		{"v2, no limit", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "max\n"}, 16 * GiB},
		{"v2, limit above", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a.slice/b.scope\n",
			"sys/fs/cgroup/a.slice/memory.max": "1073741824\n", "sys/fs/cgroup/a.slice/b.scope/memory.max": "max"},
			GiB},
		{"v1", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,cpuacct:/x\n9:memory:/docker/1\n",
			"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "268435456"}, 256 * MiB},
		{"v1 as a container sees it",
			map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "9:memory:/docker/1\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456"}, 256 * MiB},
		{"v1, no limit", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "9:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 16 * GiB},
		{"garbage", map[string]string{"proc/meminfo": "MemTotal: x", "proc/self/cgroup": "::\n0",
			"sys/fs/cgroup/memory.max": "-7"}, assumed},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryOf(root); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if Memory() < 16*MiB {
		t.Errorf("this machine has %v", Memory())
	}
}

func TestAccount(t *testing.T) {
	a := Account{Limit: 100}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 100 {
				if a.Take(30) {
					if a.Held() > 100+50*30 {
						t.Error("more is held than the limit")
					}
					a.Add(-30)
				}
			}
		})
	}
	wg.Wait()
	if a.Held() != 0 || !a.Take(100) || a.Take(1) || a.Peak() < 100 {
		t.Errorf("held %d, peak %d", a.Held(), a.Peak())
	}
	a.Add(50)
	if a.Held() != 150 {
		t.Errorf("held %d", a.Held())
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadFile(path, 5, "the file"); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	_, err := ReadFile(path, 4, "the file")
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "the file "+path) ||
		!strings.Contains(err.Error(), "4 B") {
		t.Error(err)
	}
	if _, err := ReadFile(filepath.Dir(path), 4, "the file"); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Error(err)
	}
	if _, err := ReadFile(path+"x", 4, "the file"); !os.IsNotExist(err) {
		t.Error(err)
	}
	for _, device := range []string{"/dev/zero", "/dev/urandom", "/dev/full"} {
		if _, err := os.Stat(device); err != nil {
			continue
		}
		if _, err := ReadFile(device, 4, "the file"); err == nil || !strings.Contains(err.Error(), "device") {
			t.Error(device, err)
		}
	}
}

// A file that says that it is too large is not read until its bound.
func TestReadFileBySize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skip(err) // the file system knows no holes
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = ReadAll(f, 1024, "the file")
	at, _ := f.Seek(0, io.SeekCurrent)
	if !errors.Is(err, ErrTooLarge) || at != 0 {
		t.Errorf("%d bytes were read: %v", at, err)
	}
}

// What a library reads by name is looked at before; what is not there is its to
// say.
func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "x", ""} {
		if err := Check(name, 5, "the file"); err != nil {
			t.Error(name, err)
		}
	}
	if err := Check(path, 4, "the file"); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil && Check("/dev/zero", 4, "the file") == nil {
		t.Error("a device passes")
	}
}
