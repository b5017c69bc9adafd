package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"headway/internal/bound"
	"headway/workload"
)

// modelVersion is the version of the file format. Version 1 had no order; it is read,
// and what is drawn from it comes again at random.
const modelVersion = 2

// modelFile is the JSON of a Model. Nodes are runs of shared blocks, parents before
// children, the first the root; for each there is the node before it, its length in
// blocks, how many rows leave it with text of their own (leaves) or end with it
// (ends), the tokens in its last block then, and the classes of such rows, -1 for
// none. The order says where in the trace the rows of each node were. A class lists
// tokens of a prompt's own, tokens of its reply (0 unknown) and how many rows were so.
type modelFile struct {
	Version   int          `json:"version"`
	BlockSize int          `json:"block_size"`
	Rows      int          `json:"rows"`
	Prefixes  bool         `json:"prefixes"`
	Nodes     nodesFile    `json:"nodes"`
	Order     orderFile    `json:"order,omitzero"`
	Classes   []classFile  `json:"classes"`
	Arrivals  arrivalsFile `json:"arrivals"`
}

type nodesFile struct {
	Parent    []int `json:"parent"`
	Length    []int `json:"length"`
	Leaves    []int `json:"leaves"`
	Ends      []int `json:"ends"`
	Last      []int `json:"last"`
	LeafClass []int `json:"leaf_class"`
	EndClass  []int `json:"end_class"`
}

type classFile struct {
	Unique []int `json:"unique"`
	Output []int `json:"output"`
	Weight []int `json:"weight"`
}

type arrivalsFile struct {
	Rate        float64   `json:"rate"`
	Shape       float64   `json:"shape"`
	StepMS      float64   `json:"step_ms"`
	Burst       []float64 `json:"burst"`
	BurstWeight []int     `json:"burst_weight"`
	GapMS       []float64 `json:"gap_ms"`
	GapWeight   []int     `json:"gap_weight"`
}

// MarshalJSON writes the model; it holds nothing but numbers.
func (m *Model) MarshalJSON() ([]byte, error) {
	f := modelFile{Version: modelVersion, BlockSize: m.BlockSize, Rows: m.Rows, Prefixes: m.Prefixes}
	if m.Prefixes && !m.ordered() {
		f.Version = 1 // it was read from such a file
	}
	for _, n := range m.nodes {
		f.Nodes.Parent = append(f.Nodes.Parent, n.parent)
		f.Nodes.Length = append(f.Nodes.Length, n.length)
		f.Nodes.Leaves = append(f.Nodes.Leaves, n.leaves)
		f.Nodes.Ends = append(f.Nodes.Ends, n.ends)
		f.Nodes.Last = append(f.Nodes.Last, n.last)
		f.Nodes.LeafClass = append(f.Nodes.LeafClass, n.leafClass)
		f.Nodes.EndClass = append(f.Nodes.EndClass, n.endClass)
	}
	f.Order = m.order()
	for _, class := range m.classes {
		var c classFile
		for _, s := range class {
			c.Unique = append(c.Unique, s.unique)
			c.Output = append(c.Output, s.output)
			c.Weight = append(c.Weight, s.weight)
		}
		f.Classes = append(f.Classes, c)
	}
	a := m.Arrivals
	f.Arrivals = arrivalsFile{Rate: a.Rate, Shape: a.Shape, StepMS: a.Step}
	f.Arrivals.Burst, f.Arrivals.BurstWeight = unzip(a.Bursts)
	f.Arrivals.GapMS, f.Arrivals.GapWeight = unzip(a.Gaps)
	return json.Marshal(f)
}

// UnmarshalJSON reads a model and reports the first thing that no fit could have
// given, so that every model that was read can be drawn from.
func (m *Model) UnmarshalJSON(text []byte) error {
	var f modelFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return err
	}
	if f.Version < 1 || f.Version > modelVersion {
		return fmt.Errorf("version %d: this program reads versions 1 to %d; fit the trace again with it",
			f.Version, modelVersion)
	}
	got := Model{BlockSize: f.BlockSize, Rows: f.Rows, Prefixes: f.Prefixes}
	if got.BlockSize < 1 || got.BlockSize > workload.MaxTokens {
		return fmt.Errorf("block_size %d: must be from 1 to %d", got.BlockSize, workload.MaxTokens)
	}
	var err error
	if got.Arrivals, err = f.Arrivals.model(); err != nil {
		return fmt.Errorf("arrivals: %w", err)
	}
	if got.nodes, err = f.Nodes.nodes(f.BlockSize); err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	if got.places, err = f.Order.into(got.nodes, f.Rows); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	if f.Version > 1 && got.Prefixes && got.places == 0 {
		return errors.New("order: it is missing, and prefixes is true")
	}
	for i, c := range f.Classes {
		class, err := c.class()
		if err != nil {
			return fmt.Errorf("class %d: %w", i, err)
		}
		got.classes = append(got.classes, class)
	}
	if err := got.checkClasses(); err != nil {
		return err
	}
	if !got.Prefixes && len(got.nodes) > 1 {
		return errors.New("nodes: there are shared prefixes, but prefixes is false")
	}
	*m = got
	return nil
}

// largestModel is that of a model of a million sessions several times over.
const largestModel = 256 * bound.MiB

// ReadModel reads a model that [Model.MarshalJSON] wrote; name stands in messages.
func ReadModel(r io.Reader, name string) (*Model, error) {
	text, err := bound.ReadAll(r, largestModel, "model "+name)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("reading model %s: %w", name, err)
	}
	return m, nil
}

// maxCount bounds every count, so that no sum of them loses digits as a float64 or
// overflows.
const maxCount = 1 << 31

func (f nodesFile) nodes(blockSize int) ([]node, error) {
	n := len(f.Parent)
	for _, list := range [][]int{f.Length, f.Leaves, f.Ends, f.Last, f.LeafClass, f.EndClass} {
		if len(list) != n {
			return nil, fmt.Errorf("lists of %d and %d entries: all must be as long as parent", n, len(list))
		}
	}
	if n == 0 || n > maxCount {
		return nil, fmt.Errorf("%d nodes: there must be a root", n)
	}
	nodes, depth := make([]node, n), make([]int, n)
	for i := range nodes {
		v := node{
			parent: f.Parent[i], length: f.Length[i], leaves: f.Leaves[i], ends: f.Ends[i],
			last: f.Last[i], leafClass: f.LeafClass[i], endClass: f.EndClass[i],
		}
		bad := func(what string, value int) ([]node, error) {
			return nil, fmt.Errorf("node %d: %s %d is out of range", i, what, value)
		}
		switch {
		case i == 0 && (v.parent != -1 || v.length != 0 || v.ends != 0):
			return nil, errors.New("node 0 must be the root: parent -1, no blocks, no rows that end there")
		case i > 0 && (v.parent < 0 || v.parent >= i):
			return bad("parent", v.parent)
		case i > 0 && (v.length < 1 || v.length > workload.MaxTokens):
			return bad("length", v.length)
		case v.leaves < 0 || v.leaves > maxCount:
			return bad("leaves", v.leaves)
		case v.ends < 0 || v.ends > maxCount:
			return bad("ends", v.ends)
		case v.last < 0 || v.last > blockSize || (v.last > 0) != (v.ends > 0):
			return bad("last", v.last)
		}
		if i > 0 {
			depth[i] = depth[v.parent] + v.length
		}
		if depth[i] > workload.Blocks(workload.MaxTokens, blockSize) {
			return nil, fmt.Errorf("node %d: a context of %d blocks is longer than any prompt", i, depth[i])
		}
		nodes[i] = v
	}
	return nodes, nil
}

func (f classFile) class() ([]sample, error) {
	n := len(f.Unique)
	if len(f.Output) != n || len(f.Weight) != n || n == 0 {
		return nil, fmt.Errorf("lists of %d, %d and %d entries: they must be equally long, and not empty", n,
			len(f.Output), len(f.Weight))
	}
	class := make([]sample, n)
	for i := range class {
		s := sample{f.Unique[i], f.Output[i], f.Weight[i]}
		if s.unique < 0 || s.unique > workload.MaxTokens || s.output < 0 || s.output > workload.MaxTokens ||
			s.weight < 1 || s.weight > maxCount {
			return nil, fmt.Errorf("sample %d: %d and %d tokens with weight %d: out of range", i, s.unique,
				s.output, s.weight)
		}
		class[i] = s
	}
	return class, nil
}

// checkClasses makes sure that the rows of all nodes of a class are as many as its
// samples weigh, and of its kind.
func (m *Model) checkClasses() error {
	rows := make([]int, len(m.classes))
	total := 0
	use := func(i, count, class int, leaf bool) error {
		if count == 0 {
			return nil
		}
		if class < 0 || class >= len(m.classes) {
			return fmt.Errorf("node %d: there is no class %d", i, class)
		}
		for _, s := range m.classes[class] {
			if (s.unique > 0) != leaf {
				return fmt.Errorf("node %d: class %d is not of its kind", i, class)
			}
			if rows[class] > 0 {
				break // all samples were looked at for the first node
			}
		}
		rows[class] += count
		total += count
		return nil
	}
	for i, n := range m.nodes {
		if err := errors.Join(use(i, n.leaves, n.leafClass, true), use(i, n.ends, n.endClass, false)); err != nil {
			return err
		}
	}
	for i, class := range m.classes {
		weight := 0
		for _, s := range class {
			weight += s.weight
		}
		if weight != rows[i] {
			return fmt.Errorf("class %d: its samples are of %d rows, its nodes have %d", i, weight, rows[i])
		}
	}
	if total != m.Rows || total < 1 || total > maxCount {
		return fmt.Errorf("rows %d: the nodes have %d", m.Rows, total)
	}
	return nil
}

func (f arrivalsFile) model() (ArrivalModel, error) {
	m := ArrivalModel{Rate: f.Rate, Shape: f.Shape, Step: f.StepMS}
	if !(m.Rate >= 0 && m.Rate <= maxRate) || m.Shape != 0 && !(m.Shape >= minShape && m.Shape <= maxShape) ||
		!(m.Step >= 0 && m.Step <= maxGap) {
		return m, fmt.Errorf("rate %v, shape %v, step_ms %v: out of range", m.Rate, m.Shape, m.Step)
	}
	var err error
	if m.Bursts, err = zip("burst", f.Burst, f.BurstWeight); err != nil {
		return m, err
	}
	for _, b := range m.Bursts {
		if b.Value != math.Trunc(b.Value) || b.Value < 1 || b.Value > maxCount {
			return m, fmt.Errorf("burst %v: must be a whole number of rows", b.Value)
		}
	}
	m.Gaps, err = zip("gap_ms", f.GapMS, f.GapWeight)
	return m, err
}

// maxGap is the longest time between arrivals in milliseconds: 300 years, as in
// the reader of traces.
const maxGap = 1e13

func zip(name string, values []float64, weights []int) ([]Weighted, error) {
	if len(values) != len(weights) {
		return nil, fmt.Errorf("%s: %d values and %d weights", name, len(values), len(weights))
	}
	all := make([]Weighted, len(values))
	for i := range all {
		all[i] = Weighted{values[i], weights[i]}
		if !(values[i] > 0 && values[i] <= maxGap) || weights[i] < 1 || weights[i] > maxCount {
			return nil, fmt.Errorf("%s: %v with weight %d: out of range", name, values[i], weights[i])
		}
	}
	return all, nil
}

func unzip(all []Weighted) (values []float64, weights []int) {
	for _, w := range all {
		values, weights = append(values, w.Value), append(weights, w.Weight)
	}
	return values, weights
}
