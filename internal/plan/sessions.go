package plan

import (
	"slices"

	"headway/workload"
)

// branches is how many different blocks follow one within a conversation, at most: the
// end of a turn, which is partly filled, and what stands there when the next one goes on.
// A block with more is the common beginning of several conversations.
const branches = 2

// sessions finds which requests go on with others: whose prompt begins with all of an
// earlier one, but for its last block, which may be partly filled. They are in the order of their first requests, each
// in the order of time. Who shares less with others is a session of its own.
func (l *Load) sessions() (all [][]int) {
	follow := l.followers()
	ends := map[int64]int{} // by the last whole block of a prompt, and by what is partly filled: its session
	for i := range l.requests {
		blocks := l.requests[i].Prompt.Blocks
		session := -1
		for k := len(blocks) - 1; k >= 0 && session < 0; k-- {
			if s, there := ends[blocks[k]]; there && len(follow[blocks[k]]) <= branches {
				session = s
			}
		}
		if session < 0 {
			session, all = len(all), append(all, nil)
		}
		all[session] = append(all[session], i)
		for _, id := range blocks[max(len(blocks)-2, 0):] {
			ends[id] = session
		}
	}
	return all
}

// followers are which blocks come after one, no more than it takes to know that it is a
// common beginning.
func (l *Load) followers() map[int64][]int64 {
	all := map[int64][]int64{}
	for i := range l.requests {
		blocks := l.requests[i].Prompt.Blocks
		for k := range max(len(blocks)-1, 0) {
			known := all[blocks[k]]
			if len(known) <= branches && !slices.Contains(known, blocks[k+1]) {
				all[blocks[k]] = append(known, blocks[k+1])
			}
		}
	}
	return all
}

// owners are the sessions that alone have a block, by its id; -1 for one of several.
func (l *Load) owners(sessions [][]int) map[int64]int {
	owner := map[int64]int{}
	for s, requests := range sessions {
		for _, i := range requests {
			for _, id := range l.requests[i].Prompt.Blocks {
				if before, there := owner[id]; there && before != s {
					owner[id] = -1
				} else {
					owner[id] = s
				}
			}
		}
	}
	return owner
}

// again is a request of a session that comes a further time in a drawn load: what no other
// session shares with it is other text, or the caches would have it already.
func (d *drawer) again(r workload.Request, session, copied int) workload.Request {
	if copied == 0 {
		return r
	}
	r.Prompt.Key = r.Prompt.Key.Named("drawn").Index(copied)
	if len(r.Prompt.Blocks) == 0 {
		return r
	}
	blocks := make([]int64, len(r.Prompt.Blocks))
	for k, id := range r.Prompt.Blocks {
		if blocks[k] = id; d.owner[id] == session {
			blocks[k] = int64(workload.Key(id).Named("drawn").Index(copied) >> 1)
		}
	}
	r.Prompt.Blocks = blocks
	return r
}
