package engine

import "time"

// adapters are the LoRA adapters on a GPU.
type adapters struct {
	most  int    // slots; 0: adapters take none
	slots []slot // from the one that was used longest ago
}

// slot is an adapter and how many running sequences use it.
type slot struct {
	adapter uint64
	users   int
}

// find is the slot of an adapter, or −1.
func (a *adapters) find(adapter uint64) int {
	for i := range a.slots {
		if a.slots[i].adapter == adapter {
			return i
		}
	}
	return -1
}

// room says whether a sequence with the adapter can run: it needs none, or it is there,
// or there is a slot that nobody uses.
func (a *adapters) room(adapter uint64) bool {
	if a.most == 0 || adapter == 0 || len(a.slots) < a.most || a.find(adapter) >= 0 {
		return true
	}
	for i := range a.slots {
		if a.slots[i].users == 0 {
			return true
		}
	}
	return false
}

// take counts a user of an adapter for which there is room, and says whether it has to
// be loaded.
func (a *adapters) take(adapter uint64) (loads bool) {
	if a.most == 0 || adapter == 0 {
		return false
	}
	one := slot{adapter: adapter}
	i := a.find(adapter)
	if loads = i < 0; loads && len(a.slots) == a.most {
		for i = 0; a.slots[i].users > 0; {
			i++
		}
	}
	if i >= 0 {
		if !loads {
			one = a.slots[i]
		}
		a.slots = append(a.slots[:i], a.slots[i+1:]...)
	}
	one.users++
	a.slots = append(a.slots, one)
	return loads
}

// give is the end of a user.
func (a *adapters) give(adapter uint64) {
	if a.most > 0 && adapter != 0 {
		a.slots[a.find(adapter)].users--
	}
}

// count is how many adapters are there, and how many are in use.
func (a *adapters) count() (there, used int) {
	for _, s := range a.slots {
		if s.users > 0 {
			used++
		}
	}
	return len(a.slots), used
}

// load puts the adapter of s, which is being admitted, into a slot.
func (e *Engine) load(s *sequence) {
	if e.adapters.take(s.req.Adapter) {
		e.loading = later(e.loading, sped(e.cfg.LoraLoadTime, e.cfg.SpeedupRatio))
		e.stats.AdapterLoads++
	}
}

// loaded is how long a step takes more for the adapters that were loaded for it.
func (e *Engine) loaded() time.Duration {
	d := e.loading
	e.loading = 0
	e.stats.AdapterLoadTime = later(e.stats.AdapterLoadTime, d)
	return d
}

// firstAdmissible is the first of those that wait for whose adapter there is room, or nil.
func (e *Engine) firstAdmissible() *sequence {
	if e.adapters.most == 0 {
		return e.waiting.first()
	}
	for i := range e.waiting.levels {
		for _, s := range e.waiting.levels[i].all() {
			if e.adapters.room(s.req.Adapter) {
				return s
			}
		}
	}
	return nil
}
