package profile

import "fmt"

// The sizes of Dynamo's in-depth sweep, in tokens.
const (
	shortestISL = 100
	// templateRoom is what a prefill's longest prompt leaves of the context,
	// for the chat template.
	templateRoom = 512
	// decodeOSL is the length of a decode's replies: the context of a point is
	// the prompt and half of it.
	decodeOSL = 500
	// blockRoom is what a request's last block may leave unused.
	blockRoom = 64
)

// PrefillGrid is the prompt lengths at which TTFT is measured for an engine with
// so long a context, both in tokens: granularity+1 of them, 100 first, at equal
// steps up to 512 below the context.
//
// Dynamo's profiler steps with range(100, m, (m−100)//granularity) for m the
// context less 512. That is the same but for three defects: a step of 0 where
// the context is short, one length too few, and none near the end, where the
// division leaves no rest, and too many where it leaves a large one.
func PrefillGrid(context, granularity int) ([]int, error) {
	top := context - templateRoom
	if granularity < 3 {
		return nil, fmt.Errorf("interpolation granularity %d: must be at least 3 for prefill, since a cubic curve "+
			"takes 4 prompt lengths", granularity)
	}
	if top-shortestISL < granularity {
		return nil, fmt.Errorf("context of %d tokens: too short for %d steps between a prompt of %d tokens and one "+
			"of %d less than the context; at least %d are needed",
			context, granularity, shortestISL, templateRoom, templateRoom+shortestISL+granularity)
	}
	return steps((top-shortestISL)/granularity, granularity+1), nil
}

// DecodeGrid is the prompt lengths at which ITL is measured: granularity of them,
// 100 first, in steps of a granularity-th of the context less the reply's 500
// tokens, as in Dynamo's profiler.
func DecodeGrid(context, granularity int) ([]int, error) {
	if granularity < 2 {
		return nil, fmt.Errorf("interpolation granularity %d: must be at least 2 for decode, since a surface takes "+
			"several contexts and loads", granularity)
	}
	top := context - decodeOSL
	if top/granularity < shortestISL {
		return nil, fmt.Errorf("context of %d tokens: too short for %d prompt lengths from %d tokens beside replies "+
			"of %d; at least %d are needed",
			context, granularity, shortestISL, decodeOSL, decodeOSL+shortestISL*granularity)
	}
	return steps(top/granularity, granularity), nil
}

func steps(step, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = shortestISL + i*step
	}
	return out
}

// CacheRequests is how many requests of a prompt length and reply length (tokens)
// a KV cache of kv tokens holds to their end: each takes whole blocks, counted
// as 64 tokens more, and engines keep about 1 % free. Dynamo's profiler divides
// the tokens alone; its largest load then does not fit, and the engine preempts
// requests and computes them again while their ITL is measured.
func CacheRequests(kv, isl, osl int) int {
	return (kv - kv/100) / (isl + osl + blockRoom)
}

// RequestNumbers is how many requests run at a time in a decode's points, at
// most granularity numbers from the number of attention ranks up to what fits:
// most, and [MaxConcurrency] at that. All are multiples of the number of ranks,
// so that each rank has as many. It is empty where not even one request a rank
// fits.
//
// Dynamo's profiler multiplies by the number of ranks twice, so that with
// several ranks it asks for far more than the cache holds, and divides by zero
// for a granularity of 1, where this gives what fits.
func RequestNumbers(ranks, most, granularity int) []int {
	ranks = max(ranks, 1)
	each := min(most, MaxConcurrency) / ranks
	if each < granularity {
		granularity = each
	}
	var out []int
	for i := range granularity {
		n := each
		if granularity > 1 {
			n = 1 + i*(each-1)/(granularity-1)
		}
		out = append(out, n*ranks)
	}
	return out
}

// GPUs is a number of GPUs in words.
func GPUs(n int) string { return counted(n, "GPU") }

// counted is a number of things, in words: 1 request, 2 requests.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
