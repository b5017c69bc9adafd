package interp

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxArray is the most values that an array may have: a hundred times a
// profile's 100 × 100 grid, and no way to fill the memory by a header.
const maxArray = 1_000_000

// Array is the content of one .npy file.
type Array struct {
	// Shape is the length along each axis; empty for a single number.
	Shape []int
	// Values are in C order: the last index runs fastest.
	Values []float64
	// Whole says that the type is one of whole numbers. Beyond 2⁵³ they lose
	// their last digits here.
	Whole bool
}

// ReadNPZ reads the named arrays from a NumPy archive (numpy.savez,
// numpy.savez_compressed). All of them must be there; others are ignored.
//
// The format is NumPy's (numpy.lib.format): a zip file of NAME.npy, each a text
// header that gives the type, the order and the shape, followed by the raw
// values. Real numbers are read, no strings, objects or complex ones.
func ReadNPZ(data []byte, names ...string) (map[string]Array, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("opening the archive: %w", err)
	}
	arrays := make(map[string]Array, len(names))
	var missing []string
	for _, name := range names {
		f := member(z, name+".npy")
		if f == nil {
			missing = append(missing, name)
			continue
		}
		a, err := readMember(f)
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
		arrays[name] = a
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the archive has no %s: it holds %s", strings.Join(missing, ", "), members(z))
	}
	return arrays, nil
}

func member(z *zip.Reader, name string) *zip.File {
	for _, f := range z.File {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func members(z *zip.Reader) string {
	if len(z.File) == 0 {
		return "nothing"
	}
	names := make([]string, len(z.File))
	for i, f := range z.File {
		names[i] = strings.TrimSuffix(f.Name, ".npy")
	}
	return strings.Join(names, ", ")
}

func readMember(f *zip.File) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	const header = 1 << 17
	data, err := io.ReadAll(io.LimitReader(r, 8*maxArray+header))
	if err != nil {
		return Array{}, err
	}
	return readNPY(data)
}

// readNPY reads one array.
func readNPY(data []byte) (Array, error) {
	header, raw, err := splitNPY(data)
	if err != nil {
		return Array{}, err
	}
	descr, fortran, shape, err := parseNPYHeader(header)
	if err != nil {
		return Array{}, fmt.Errorf("header %q: %w", header, err)
	}
	n := 1
	for _, d := range shape {
		if d > 0 && n > maxArray/d {
			return Array{}, fmt.Errorf("shape %v: more than %d values", shape, maxArray)
		}
		n *= d
	}
	values, err := numbers(descr, raw, n)
	if err != nil {
		return Array{}, err
	}
	if fortran {
		values = toCOrder(values, shape)
	}
	return Array{Shape: shape, Values: values, Whole: strings.ContainsAny(descr[1:2], "iu")}, nil
}

// splitNPY takes the header off: magic, version, a length of two bytes in
// version 1 and of four later, text.
func splitNPY(data []byte) (header string, raw []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte("\x93NUMPY"))
	if !ok || len(rest) < 6 {
		return "", nil, errors.New("not a .npy file")
	}
	var n, at int
	switch rest[0] {
	case 1:
		n, at = int(binary.LittleEndian.Uint16(rest[2:])), 4
	case 2, 3:
		n, at = int(binary.LittleEndian.Uint32(rest[2:])), 6
	default:
		return "", nil, fmt.Errorf(".npy version %d: only 1 to 3 are known", rest[0])
	}
	if n > len(rest)-at {
		return "", nil, fmt.Errorf("the header is cut off: %d bytes of %d", len(rest)-at, n)
	}
	return string(rest[at : at+n]), rest[at+n:], nil
}

// parseNPYHeader reads a Python dictionary of exactly three entries, such as
// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
func parseNPYHeader(h string) (descr string, fortran bool, shape []int, err error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(h), "{")
	if !ok || !strings.HasSuffix(body, "}") {
		return "", false, nil, errors.New("not a dictionary")
	}
	body = strings.TrimSuffix(body, "}")
	entry := func(key, open, end string) (string, error) {
		_, rest, ok := strings.Cut(body, "'"+key+"':")
		if !ok {
			return "", fmt.Errorf("no %s", key)
		}
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), open)
		value, _, closed := strings.Cut(rest, end)
		if !ok || !closed {
			return "", fmt.Errorf("%s is not readable; structured types are not known", key)
		}
		return value, nil
	}
	descr, errDescr := entry("descr", "'", "'")
	order, errOrder := entry("fortran_order", "", ",")
	dims, errShape := entry("shape", "(", ")")
	if err := errors.Join(errDescr, errOrder, errShape); err != nil {
		return "", false, nil, err
	}
	if order != "True" && order != "False" {
		return "", false, nil, fmt.Errorf("fortran_order %q: must be True or False", order)
	}
	for d := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(dims), ","), ",") {
		if d = strings.TrimSpace(d); d == "" && strings.TrimSpace(dims) == "" {
			break // () is a single number
		}
		n, err := strconv.Atoi(d)
		if err != nil || n < 0 {
			return "", false, nil, fmt.Errorf("shape (%s): %q is not a length", dims, d)
		}
		shape = append(shape, n)
	}
	return descr, order == "True", shape, nil
}

// numbers converts n raw values of a NumPy type: byte order, kind, bytes.
func numbers(descr string, raw []byte, n int) ([]float64, error) {
	if len(descr) != 3 || !strings.Contains("<>|=", descr[:1]) {
		return nil, fmt.Errorf("type %q: only real numbers are read", descr)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	size := int(descr[2] - '0')
	read, ok := map[string]func([]byte) float64{
		"f8": func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) },
		"f4": func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) },
		"i8": func(b []byte) float64 { return float64(int64(order.Uint64(b))) },
		"i4": func(b []byte) float64 { return float64(int32(order.Uint32(b))) },
		"i2": func(b []byte) float64 { return float64(int16(order.Uint16(b))) },
		"i1": func(b []byte) float64 { return float64(int8(b[0])) },
		"u8": func(b []byte) float64 { return float64(order.Uint64(b)) },
		"u4": func(b []byte) float64 { return float64(order.Uint32(b)) },
		"u2": func(b []byte) float64 { return float64(order.Uint16(b)) },
		"u1": func(b []byte) float64 { return float64(b[0]) },
	}[descr[1:]]
	switch {
	case !ok:
		return nil, fmt.Errorf("type %q: only f4, f8 and whole numbers are read", descr)
	case len(raw) != n*size:
		return nil, fmt.Errorf("%d bytes of values: the shape asks for %d", len(raw), n*size)
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = read(raw[i*size:])
	}
	return values, nil
}

// toCOrder turns values whose first index runs fastest into those whose last
// index does.
func toCOrder(values []float64, shape []int) []float64 {
	sorted := make([]float64, len(values))
	index := make([]int, len(shape))
	for _, v := range values {
		at := 0
		for d, n := range shape {
			at = at*n + index[d]
		}
		sorted[at] = v
		for d := range index {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return sorted
}
