package interp

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// NamedArray is an array with its name in an archive.
type NamedArray struct {
	Name string
	Array
}

// WriteNPZ writes arrays as numpy.savez does: a zip file of NAME.npy without
// compression, float64 or, where Whole is set, int64. The same arrays give the
// same bytes. The error names an array whose values are not as many as its
// shape asks for, or that says Whole and is not.
func WriteNPZ(w io.Writer, arrays []NamedArray) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		data, err := a.npy()
		if err != nil {
			return fmt.Errorf("array %s: %w", a.Name, err)
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			return fmt.Errorf("writing array %s: %w", a.Name, err)
		}
	}
	return z.Close()
}

// npyAlign is what the raw values' place in a .npy file is a multiple of
// (numpy.lib.format, ARRAY_ALIGN).
const npyAlign = 64

// npy is the array as a .npy file of version 1.
func (a Array) npy() ([]byte, error) {
	n := 1
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		n *= d
		dims[i] = strconv.Itoa(d)
	}
	if n != len(a.Values) {
		return nil, fmt.Errorf("%d values: shape %v asks for %d", len(a.Values), a.Shape, n)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	descr := "<f8"
	if a.Whole {
		descr = "<i8"
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	const before = len("\x93NUMPY") + 2 + 2
	header += strings.Repeat(" ", npyAlign-1-(before+len(header))%npyAlign) + "\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	out = append(out, header...)
	for i, v := range a.Values {
		bits := math.Float64bits(v)
		if a.Whole {
			if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
				return nil, fmt.Errorf("value %d is %v: not a whole number of 53 bits", i, v)
			}
			bits = uint64(int64(v))
		}
		out = binary.LittleEndian.AppendUint64(out, bits)
	}
	return out, nil
}
