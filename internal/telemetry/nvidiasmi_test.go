package telemetry

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeSMI is a program in the place of nvidia-smi.
func fakeSMI(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A row of an H200 (driver 580), and one of a GPU that tells less.
const smiRows = `echo '0, 97, 41, 70211, 512.25, 1980, 3201, 61, 0x0000000000000004, 0x0000000000000004, GPU-1'
echo '1, 5, [N/A], 1, [Not Supported], 345, 3201, 36, 0x0000000000000040, 0x0000000000000040, GPU-2'
`

// The program goes on until the sampling ends, and ends with it.
func TestNVIDIASMI(t *testing.T) {
	path := fakeSMI(t, smiRows+"exec sleep 600\n")
	ctx, cancel := context.WithCancel(t.Context())
	got := map[string]map[Quantity]float64{}
	err := NVIDIASMIFeed(path, nil).Run(ctx, time.Second, func(list []Sample) {
		of := map[Quantity]float64{}
		for _, s := range list {
			of[s.Quantity] = s.Value
		}
		if want := map[string]string{"0": "GPU-1", "1": "GPU-2"}[list[0].Of]; list[0].Device != want {
			t.Errorf("%+v", list[0])
		}
		if got[list[0].Of] = of; len(got) == 2 {
			cancel()
		}
	})
	want := map[string]map[Quantity]float64{
		"0": {Utilization: 0.97, MemoryBusy: 0.41, MemoryUsed: 70211 << 20, Power: 512.25, SMClock: 1.98e9,
			MemoryClock: 3.201e9, Temperature: 61, ThrottledPower: 1, ThrottledThermal: 0},
		"1": {Utilization: 0.05, MemoryUsed: 1 << 20, SMClock: 345e6, MemoryClock: 3.201e9, Temperature: 36,
			ThrottledPower: 0, ThrottledThermal: 1},
	}
	if diff := cmp.Diff(want, got, close9); diff != "" || err == nil {
		t.Errorf("%v, %s", err, diff)
	}
}

// A driver that has not every field is asked for the others.
func TestNVIDIASMIWithoutAField(t *testing.T) {
	path := fakeSMI(t, `case "$1" in *clocks_event_reasons*)
echo 'Field "clocks_event_reasons.active" is not a valid field to query.'
exit 2;; esac
echo '0, 1, 2, 3, 4, 5, 6, 7, 0x8, GPU-1'`)
	var n int
	err := NVIDIASMIFeed(path, nil).Run(t.Context(), time.Second, func(list []Sample) { n = len(list) })
	if n != 9 || err == nil || !strings.Contains(err.Error(), "nvidia-smi ended") {
		t.Errorf("%d samples, %v", n, err)
	}
}

// Whatever the program does, there is an error and nothing else.
func TestHostileNVIDIASMI(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"no driver": {"echo 'NVIDIA-SMI has failed'; exit 9", "NVIDIA-SMI has failed"},
		"unknown":   {`echo 'Field "x" is not a valid field to query.'`, "does not know"},
		"no index":  {`echo 'Field "index" is not a valid field to query.'`, "does not know"},
		"long line": {"head -c 10000 /dev/zero; exec sleep 600", "more than 4096 bytes"},
		"nonsense": {"echo '-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, x'; echo '99999999, 1, 2, 3, 4, 5, 6, 7, 8, 9, x'; exit 3",
			"nvidia-smi says: 9"},
	} {
		err := NVIDIASMIFeed(fakeSMI(t, tt.script), nil).Run(t.Context(), time.Second, func([]Sample) {
			t.Errorf("%s: a sample", name)
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "none")
	if err := NVIDIASMIFeed(missing, nil).Run(t.Context(), time.Second, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzSMI(f *testing.F) {
	f.Add("0, 97, 41, 70211, 512.25, 1980, 3201, 61, 0x4, 0x4, GPU-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, _, _ = readSMI(io.LimitReader(strings.NewReader(text), 1<<16), smiFields, func(list []Sample) {
			for _, s := range list {
				if !(s.Value >= 0) || s.Of == "" {
					t.Errorf("%+v", s)
				}
			}
		})
	})
}
