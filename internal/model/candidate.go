package model

import (
	"errors"
	"fmt"
	"slices"
)

// Candidate is a mapping that was looked at.
type Candidate struct {
	Mapping Mapping
	// Memory is set when the model's shape allows the mapping.
	Memory Memory
	// Rejections are the reasons why it cannot be used; none means that it can.
	Rejections []Rejection
}

// Usable reports whether the mapping can be deployed.
func (c Candidate) Usable() bool { return len(c.Rejections) == 0 }

// Kinds are the kinds of mapping that Dynamo's profiler tries: TP for a dense
// model, TEP and DEP for a mixture of experts, and TP too for
// Qwen3MoeForCausalLM. What is a mixture is decided by the configuration.
func (m Model) Kinds() []Kind {
	switch {
	case !m.IsMoE():
		return []Kind{TP}
	case m.Architecture == "Qwen3MoeForCausalLM":
		return []Kind{TEP, DEP, TP}
	}
	return []Kind{TEP, DEP}
}

// Candidates lists the mappings of up to maxGPUs GPUs, rejected ones with their
// reasons: sizes that are powers of two, by kind and then by size. No kinds
// means [Model.Kinds]. Setup.Mapping is not looked at.
//
// TP stays within a node. Where even the largest TP of a node has too little
// memory, it is tried with 2, 4 … pipeline stages. TEP and DEP may span nodes.
func (s Setup) Candidates(maxGPUs int, kinds ...Kind) ([]Candidate, error) {
	s = s.withDefaults()
	faults := s.faults()
	if maxGPUs < 1 {
		faults = append(faults, fmt.Errorf("max GPUs %d: must be at least 1", maxGPUs))
	}
	if err := s.setupError(faults); err != nil {
		return nil, err
	}
	if len(kinds) == 0 {
		kinds = s.Model.Kinds()
	}
	var list []Candidate
	for _, kind := range kinds {
		for n := 1; n <= maxGPUs; n *= 2 {
			list = append(list, s.candidate(Mapping{Kind: kind, Size: n}))
		}
		if kind == TP {
			list = append(list, s.pipelined(list, maxGPUs)...)
		}
	}
	return list, nil
}

// candidate applies every rule to one mapping.
func (s Setup) candidate(m Mapping) Candidate {
	c := Candidate{Mapping: m, Rejections: m.Check(s.Model)}
	if m.Kind == TP && m.Size > s.GPUsPerNode {
		c.Rejections = append(c.Rejections, Rejection{RuleNode,
			fmt.Sprintf("tensor parallelism over %d GPUs leaves the node of %d", m.Size, s.GPUsPerNode)})
	}
	if len(c.Rejections) > 0 {
		return c
	}
	s.Mapping = m
	memory, err := s.Memory()
	c.Memory = memory
	var fit *FitError
	switch {
	case errors.As(err, &fit):
		c.Rejections = []Rejection{{RuleMemory, fit.Error()}}
	case err != nil:
		c.Rejections = []Rejection{{RuleNode, err.Error()}}
	}
	return c
}

// pipelined spreads the layers over groups of the largest TP that the shape
// and the node allow, if that one lacks memory.
func (s Setup) pipelined(tried []Candidate, maxGPUs int) []Candidate {
	largest := Candidate{}
	for _, c := range tried {
		onlyMemory := !slices.ContainsFunc(c.Rejections, func(r Rejection) bool { return r.Rule != RuleMemory })
		if c.Mapping.Kind == TP && onlyMemory {
			largest = c
		}
	}
	if largest.Mapping.Size == 0 || largest.Usable() {
		return nil
	}
	var list []Candidate
	for stages := 2; stages*largest.Mapping.Size <= maxGPUs; stages *= 2 {
		list = append(list, s.candidate(Mapping{Kind: TP, Size: largest.Mapping.Size, Pipeline: stages}))
	}
	return list
}
