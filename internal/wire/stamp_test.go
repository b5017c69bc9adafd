package wire

import (
	"net"
	"testing"
	"time"
)

func TestKernelStamp(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name string
		lag  time.Duration // of the read behind the kernel's stamp
		want Stamp
	}{
		{"at once", 0, Stamp{At: now, Kernel: true}},
		{"late reader", 5 * time.Millisecond,
			Stamp{At: now.Add(-5 * time.Millisecond), Kernel: true, Lag: 5 * time.Millisecond}},
		{"very late reader", time.Hour, Stamp{At: now.Add(-time.Hour), Kernel: true, Lag: time.Hour}},
		{"a little ahead", -time.Microsecond, Stamp{At: now, Kernel: true}},
		{"at the limit ahead", -time.Millisecond, Stamp{At: now, Kernel: true}},
		{"clock set back", -time.Millisecond - 1, Stamp{At: now}},
		{"clock set forward", time.Hour + 1, Stamp{At: now}},
		{"stamp of zero", time.Duration(now.UnixNano()), Stamp{At: now}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := kernelStamp(now, now.UnixNano()-int64(tt.lag))
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestStampNotBefore(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Time{}.Add(time.Hour + d) }
	first := Stamp{}
	kernel := Stamp{At: at(20), Kernel: true, Lag: 7}
	clock := Stamp{At: at(20)}
	tests := []struct {
		name          string
		s, last, want Stamp
	}{
		{"first", kernel, first, kernel},
		{"later", Stamp{at(21), true, 3}, kernel, Stamp{at(21), true, 3}},
		{"same", Stamp{at(20), true, 9}, kernel, Stamp{at(20), true, 9}},
		{"wavering", Stamp{at(15), true, 9}, kernel, Stamp{at(20), true, 4}},
		{"wavering, no lag", Stamp{at(15), true, 2}, kernel, Stamp{at(20), true, 0}},
		{"kernel before a late clock", Stamp{at(5), true, 30}, clock, clock},
		{"clock before kernel", Stamp{At: at(19)}, kernel, Stamp{At: at(20)}},
		{"clock after clock", Stamp{At: at(30)}, clock, Stamp{At: at(30)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.notBefore(tt.last); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// replay is a reader whose stamps are given.
type replay struct{ stamps []Stamp }

func (r *replay) read(p []byte) (int, Stamp, error) {
	s := r.stamps[0]
	r.stamps = r.stamps[1:]
	return len(p), s, nil
}

func TestConnStampNeverGoesBack(t *testing.T) {
	start := time.Now()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := &Conn{Conn: a, reader: &replay{[]Stamp{
		{At: start.Add(30)},
		{At: start.Add(20), Kernel: true, Lag: 100},
		{At: start.Add(40), Kernel: true, Lag: 100},
		{At: start.Add(35), Kernel: true, Lag: 100},
	}}}
	for i, want := range []Stamp{
		{At: start.Add(30)},
		{At: start.Add(30)},
		{At: start.Add(40), Kernel: true, Lag: 100},
		{At: start.Add(40), Kernel: true, Lag: 95},
	} {
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if got := c.Stamp(); got != want {
			t.Errorf("read %d: got %+v, want %+v", i+1, got, want)
		}
	}
}
