package model

import "math"

// linkEfficiency is the share of a link's peak that collectives of megabytes
// reach; an assumption of the usual size for NCCL.
const linkEfficiency = 0.8

// activationElement is the size of one value of the residual stream, which
// collectives carry in 2 bytes even where weights are smaller.
const activationElement = 2

// collective is the time of a step's communication: per token of a rank, and
// whatever the tokens.
type collective struct{ perToken, step float64 }

func (c collective) times(n float64) collective { return collective{c.perToken * n, c.step * n} }

func (c collective) plus(d collective) collective {
	return collective{c.perToken + d.perToken, c.step + d.step}
}

// communication adds up a step's collectives:
//
//   - TP and TEP all-reduce the residual stream after attention and after the
//     network of every layer, and once after the embedding. TEP needs no
//     all-to-all: every GPU has every token, computes its own experts, and the
//     sum is the all-reduce.
//   - DEP sends each token to the GPUs of its experts and back, in every
//     mixture layer.
//   - A pipeline hands the residual stream on at every stage's end.
func (s Setup) communication() collective {
	m := s.Model
	var c collective
	switch {
	case s.Mapping.Size == 1:
	case s.Mapping.Kind == DEP:
		c = s.allToAll().times(float64(m.Experts.Layers))
	default:
		c = s.allReduce().times(float64(2*m.Layers + 1))
	}
	if stages := s.Mapping.stages(); stages > 1 {
		c = c.plus(s.handOver().times(float64(stages - 1)))
	}
	return c
}

// nodes is how a group of n GPUs lies: so many in each of so many nodes.
func (s Setup) nodes(n int) (perNode, nodes float64) {
	perNode = float64(min(n, s.GPUsPerNode))
	return perNode, math.Ceil(float64(n) / perNode)
}

// allReduce is of one hidden vector per token: a ring's 2(g−1)/g of the bytes
// within the node and, when there are several, the same between nodes of each
// GPU's share.
func (s Setup) allReduce() collective {
	bytes := float64(s.Model.Hidden) * activationElement
	g, nodes := s.nodes(s.Mapping.Size)
	c := over(s.GPU.Node, 2*(g-1)/g*bytes)
	if nodes > 1 {
		c = c.plus(over(s.GPU.Network, 2*(nodes-1)/nodes*bytes/g))
	}
	return c
}

// allToAll is dispatch and combine for one token of a rank, as DeepEP's kernels
// do them: over the network once to each node that has one of the token's
// experts, and within the node once to each such GPU.
func (s Setup) allToAll() collective {
	n, k := float64(s.Mapping.Size), float64(s.Model.Experts.PerToken)
	g, nodes := s.nodes(s.Mapping.Size)
	h := float64(s.Model.Hidden)
	// Dispatched in the experts' own format where that is FP8 or less.
	dispatched := float64(activationElement)
	if f := s.Model.expertFormat(); f != BF16 && s.GPU.FLOPS[f] > 0 {
		dispatched = 1
	}
	var c collective
	for _, element := range []float64{dispatched, activationElement} {
		c = c.plus(over(s.GPU.Node, h*element*distinct(n, k)*(g-1)/g))
		if nodes > 1 {
			c = c.plus(over(s.GPU.Network, h*element*distinct(nodes, k)*(nodes-1)/nodes))
		}
	}
	return c
}

// distinct is how many of n places k experts, dealt at random, are expected to
// lie in: n·(1 − (1 − 1/n)^k).
func distinct(n, k float64) float64 { return n * -math.Expm1(k*math.Log1p(-1/n)) }

// handOver is from one stage to the next; each GPU of a group sends its share.
func (s Setup) handOver() collective {
	link := s.GPU.Node
	if s.Mapping.GPUs() > s.GPUsPerNode {
		link = s.GPU.Network
	}
	return over(link, float64(s.Model.Hidden)*activationElement/float64(s.Mapping.Size))
}

func over(l Link, bytesPerToken float64) collective {
	if bytesPerToken == 0 {
		return collective{}
	}
	return collective{bytesPerToken / (l.BytesPerSecond * linkEfficiency), l.Latency.Seconds()}
}
