package interp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func fixture(t testing.TB, names ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, names...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func arrays(t testing.TB, file string, names ...string) map[string]Array {
	t.Helper()
	a, err := ReadNPZ(fixture(t, file), names...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Arrays of every type that NumPy writes come out as their values.
func TestNPYTypes(t *testing.T) {
	names := strings.Fields("f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 big_f8 big_i4")
	want := []float64{0, 1, 2, 3, 4, 5}
	for name, a := range arrays(t, "types.npz", names...) {
		if !slices.Equal(a.Shape, []int{2, 3}) || !slices.Equal(a.Values, want) {
			t.Errorf("%s: %v", name, a)
		}
	}
	a := arrays(t, "types.npz", "fortran", "cube", "scalar", "empty")
	if got := a["fortran"].Values; !slices.Equal(got, []float64{0, 1.5, 3, 4.5, 6, 7.5}) {
		t.Errorf("columns first: %v", got)
	}
	if got := a["cube"]; !slices.Equal(got.Values, Linspace(0, 23, 24)) || !slices.Equal(got.Shape, []int{2, 3, 4}) {
		t.Errorf("columns first, three dimensions: %v", got)
	}
	if got := a["scalar"]; len(got.Shape) != 0 || !slices.Equal(got.Values, []float64{2.5}) {
		t.Errorf("a single number: %v", got)
	}
	if got := a["empty"]; !slices.Equal(got.Shape, []int{0, 3}) || len(got.Values) != 0 {
		t.Errorf("nothing: %v", got)
	}
	for name, want := range map[string]string{"text": "<U1", "complex": "<c16",
		"nothing": "the archive has no nothing: it holds f4, f8"} {
		if _, err := ReadNPZ(fixture(t, "types.npz"), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNPYFaults(t *testing.T) {
	npy := func(header, raw string) string {
		return "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + raw
	}
	for _, v := range []struct{ data, want string }{
		{"", "not a .npy"},
		{"\x93NUMPY\x04\x00\x00\x00\x00\x00", "version 4"},
		{"\x93NUMPY\x01\x00\xff\x00{}", "cut off"},
		{npy("{}", ""), "no descr"},
		{npy("[]", ""), "not a dictionary"},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "12345678"),
			"8 bytes of values: the shape asks for 16"},
		{npy("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,)}", ""), "fortran_order"},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", ""), `"-2" is not a length`},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999)}", ""), "more than 1000000 values"},
		{npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", ""), "structured"},
	} {
		if _, err := readNPY([]byte(v.data)); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%q: %v, want %s", v.data, err, v.want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x3b\x00{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }  12345678"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readNPY(data)
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if n != len(a.Values) {
			t.Errorf("shape %v with %d values", a.Shape, len(a.Values))
		}
	})
}
