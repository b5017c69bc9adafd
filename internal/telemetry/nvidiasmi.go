package telemetry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// smiField is a column of nvidia-smi: what it is called (nvidia-smi --help-query-gpu),
// and what is made of it. Names were read on driver 580. nvidia-smi has no counter of
// energy.
type smiField struct {
	name  string
	rules []rule
	hex   bool
}

// smiFields are asked for, the GPU's number first. One that a driver does not have is
// left out.
var smiFields = []smiField{
	{name: "index"},
	{name: "utilization.gpu", rules: []rule{{quantity: Utilization, scale: percent}}},
	{name: "utilization.memory", rules: []rule{{quantity: MemoryBusy, scale: percent}}},
	{name: "memory.used", rules: []rule{{quantity: MemoryUsed, scale: mebi}}},
	{name: "power.draw", rules: []rule{{quantity: Power}}},
	{name: "clocks.sm", rules: []rule{{quantity: SMClock, scale: mega}}},
	{name: "clocks.mem", rules: []rule{{quantity: MemoryClock, scale: mega}}},
	{name: "temperature.gpu", rules: []rule{{quantity: Temperature}}},
	{name: "clocks_event_reasons.active", hex: true, rules: reasons},
	{name: "clocks_throttle_reasons.active", hex: true, rules: reasons}, // of older drivers
	{name: smiID},
}

// smiID is the column of a GPU's own id, as DCGM has it.
const smiID = "uuid"

var reasons = []rule{{quantity: ThrottledPower, mask: powerReasons}, {quantity: ThrottledThermal, mask: thermalReasons}}

// mostSMILine is how long a line of nvidia-smi may be.
const mostSMILine = 4096

// smiEnds is how long nvidia-smi may take to end.
const smiEnds = time.Second

// SMIName is what the source nvidia-smi is called.
const SMIName = "nvidia-smi"

// NVIDIASMIFeed reads the GPUs of this host with the program nvidia-smi at a path. It
// runs as a child process for as long as it is read.
func NVIDIASMIFeed(path string, gpus GPUs) Feed {
	return Feed{Name: SMIName, Run: func(ctx context.Context, interval time.Duration, tell func([]Sample)) error {
		emit := func(list []Sample) {
			if list = gpus.of(list); len(list) > 0 {
				tell(list)
			}
		}
		fields := slices.Clone(smiFields)
		for {
			unknown, err := runSMI(ctx, path, interval, fields, emit)
			if unknown == "" {
				return err
			}
			kept := slices.DeleteFunc(slices.Clone(fields), func(f smiField) bool { return f.name == unknown })
			if len(kept) == len(fields) || unknown == "index" {
				return fmt.Errorf("nvidia-smi does not know %q", unknown)
			}
			fields = kept
		}
	}}
}

// unknownField is what nvidia-smi says of a column that it does not have.
var unknownField = regexp.MustCompile(`^Field "([^"]*)" is not a valid field`)

// runSMI runs nvidia-smi once. unknown is a field for which it ended; ended so before
// anything was read, it may be run without that.
func runSMI(ctx context.Context, path string, interval time.Duration, fields []smiField,
	emit func([]Sample)) (unknown string, err error) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	ms := max(1, interval.Milliseconds())
	cmd := exec.CommandContext(ctx, path, "--query-gpu="+strings.Join(names, ","), "--format=csv,noheader,nounits",
		"-lms", strconv.FormatInt(ms, 10))
	cmd.WaitDelay = smiEnds
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("reading nvidia-smi: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting nvidia-smi: %w", err)
	}
	unknown, said, err := readSMI(out, fields, emit)
	if err != nil && cmd.Process != nil {
		_ = cmd.Process.Kill() // it may have ended already
	}
	waited := cmd.Wait()
	switch {
	case unknown != "", err != nil:
		return unknown, err
	case said != "":
		return "", fmt.Errorf("nvidia-smi says: %s", said)
	case waited != nil:
		return "", fmt.Errorf("nvidia-smi ended: %w", waited)
	}
	return "", errors.New("nvidia-smi ended")
}

// readSMI reads rows until there are no more. said is the last line that is none.
func readSMI(r io.Reader, fields []smiField, emit func([]Sample)) (unknown, said string, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, mostSMILine), mostSMILine)
	for in.Scan() {
		text := strings.TrimSpace(in.Text())
		if m := unknownField.FindStringSubmatch(text); m != nil {
			return m[1], "", nil
		}
		if list := smiRow(text, fields); list != nil {
			emit(list)
		} else if text != "" {
			said = text[:min(len(text), 200)]
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return "", "", fmt.Errorf("nvidia-smi writes a line of more than %d bytes", mostSMILine)
	}
	return "", said, nil // an error of reading comes with the end of the process
}

// mostGPUs bounds the numbers of GPUs of one host.
const mostGPUs = 1024

// smiRow are the samples of a row; nil where it is none. A column without a number
// ([N/A], [Not Supported]) says nothing.
func smiRow(text string, fields []smiField) (list []Sample) {
	cells := strings.Split(text, ",")
	if len(cells) != len(fields) {
		return nil
	}
	gpu, err := strconv.ParseUint(strings.TrimSpace(cells[0]), 10, 32)
	if err != nil || gpu >= mostGPUs {
		return nil
	}
	device := ""
	if i := slices.IndexFunc(fields, func(f smiField) bool { return f.name == smiID }); i >= 0 {
		device = strings.TrimSpace(cells[i])
	}
	for i, f := range fields[1:] {
		v, ok := smiNumber(strings.TrimSpace(cells[i+1]), f.hex)
		for _, r := range f.rules {
			if base, is := r.base(v); ok && is {
				list = append(list, Sample{Engine: NVIDIASMI, Quantity: r.quantity, Series: f.name,
					Of: strconv.FormatUint(gpu, 10), Device: device, Value: base})
			}
		}
	}
	return list
}

func smiNumber(text string, hex bool) (float64, bool) {
	if hex {
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 64)
		return float64(n), err == nil
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
