package openai

import "encoding/json"

// nvext is the member of a body in which Dynamo is told, and asked, more than the
// API knows.
const nvext = "nvext"

// tell asks for what servers say of a request, unless the body says something
// else there.
func (o *object) tell() error {
	more, err := parseObject(o.get(nvext))
	if err != nil || more.index(tellPath[1]) >= 0 {
		return nil // what the user put there is sent as it is
	}
	what, err := json.Marshal(tellWhat)
	if err != nil {
		return err
	}
	more.set(tellPath[1], what)
	o.set(nvext, more.append(nil))
	return nil
}

// extend sets a member of a body. Of nvext, in which the user and the plan of a
// benchmark both say something, the members are set one by one: those that the
// other has said stay.
func (o *object) extend(m member) {
	if before := o.get(m.key); m.key == nvext && before != nil {
		m.value = merged(before, m.value, 2)
	}
	o.set(m.key, m.value)
}

// merged is an object with the members of another set in it, down to a depth. What
// is no object replaces what was there.
func merged(into, from []byte, depth int) []byte {
	a, errA := parseObject(into)
	b, errB := parseObject(from)
	if depth == 0 || errA != nil || errB != nil || a == nil || b == nil {
		return from
	}
	for _, m := range b {
		if before := a.get(m.key); before != nil {
			m.value = merged(before, m.value, depth-1)
		}
		a.set(m.key, m.value)
	}
	return a.append(nil)
}

// has says whether an object has a member by its path. One on the way that is no
// object has all.
func (o object) has(path []string) bool {
	i := o.index(path[0])
	if i < 0 || len(path) == 1 {
		return i >= 0
	}
	inner, err := parseObject(o[i].value)
	return err != nil || inner.has(path[1:])
}
