package dgd

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"headway/internal/deploy/release"
)

// WrittenFor is the deployment in the words of a release of Dynamo: what its command
// lines say in another's words is said in its own. The notes say what was changed, and
// what the release does not take and nothing stands in for, which stays.
func (d *Document) WrittenFor(r release.Release) (*Document, []string, error) {
	var notes []string
	next, err := d.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		if err != nil {
			return err
		}
		for _, s := range services {
			said, err := e.reword(s, r)
			if err != nil {
				return err
			}
			for _, n := range said {
				notes = append(notes, fmt.Sprintf("service %s: %s", s.name, n))
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("writing the %s %q for release %s of Dynamo: %w", Kind, d.Name(), r, err)
	}
	return next, notes, nil
}

// Versions are the releases that the tags of its images say, by service. Images that
// are not Dynamo's own say nothing.
func (d *Document) Versions() map[string]string {
	found := map[string]string{}
	services, err := d.view()
	if err != nil {
		return nil
	}
	for _, s := range services {
		v, _ := lookup(d.objects[d.at], s.main.plus("image"))
		if image, _ := v.(string); release.Of(image) != "" {
			found[s.name] = release.Of(image)
		}
	}
	return found
}

// reword says one service's command line in the words of a release. One that cannot
// be read is for who has to edit it.
func (e *editor) reword(s service, r release.Release) ([]string, error) {
	c, err := readCommandLine(e.object, s.main)
	if err != nil || c.module == "" {
		return nil, nil
	}
	if strings.HasPrefix(c.module, "dynamo.planner") {
		return e.replan(s, c, r)
	}
	w := rewording{c: c, release: r, module: rootModule(c.module)}
	w.phrases()
	w.flags()
	w.needs()
	if w.changed {
		e.write(s.main, c)
	}
	return w.notes, e.err
}

// rootModule is the program that a module belongs to: dynamo.vllm of dynamo.vllm.main.
func rootModule(module string) string {
	return strings.Join(strings.SplitN(module, ".", 3)[:2], ".")
}

// replan starts a planner that is there as the release starts one.
func (e *editor) replan(s service, c *commandLine, r release.Release) (notes []string, err error) {
	old, err := e.readPlan(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.main, err)
	}
	if _, unknown := old.spelled(r); len(unknown) > 0 {
		notes = append(notes, fmt.Sprintf("the planner of release %s has no setting %s; it is left out",
			r, strings.Join(unknown, ", ")))
	}
	if now := r.Planner(); c.module != now.Module {
		notes = append(notes, fmt.Sprintf("%s is %s in release %s", c.module, now.Module, r))
	}
	return notes, e.plannerSettings(s, r, nil)
}

// rewording changes a command line from the words of any release to those of one.
type rewording struct {
	c       *commandLine
	release release.Release
	module  string
	changed bool
	notes   []string
}

func (w *rewording) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// phrases says in the release's words what takes more than another name.
func (w *rewording) phrases() {
	others, own := w.release.Phrases(w.module)
	for i, forms := range others {
		for _, form := range forms {
			at := w.c.find(form.Args)
			if at < 0 {
				continue
			}
			w.c.replace(at, len(form.Args) > 1, own[i])
			w.changed = true
			w.note("%s is %s in release %s", strings.Join(form.Args, " "), strings.Join(own[i], " "), w.release)
		}
	}
}

// flags gives renamed ones their name, and tells of those that are gone.
func (w *rewording) flags() {
	for i := w.c.first; i < len(w.c.list); i++ {
		old := w.c.list[i].value
		name := flagName(old)
		instead, lacks := w.release.Lacks(w.module, name)
		switch {
		case !lacks:
		case instead == "":
			w.note("%s of release %s does not take %s, and will not start: give another release, or take it out",
				w.module, w.release, name)
		default:
			_, value, joined := strings.Cut(old, "=")
			w.c.list[i].value = instead
			if joined {
				w.c.list[i].value += "=" + value
			}
			w.changed = true
			w.note("%s is %s in release %s", name, instead, w.release)
		}
	}
}

// needs adds what the release asks for beside what is there.
func (w *rewording) needs() {
	has := func(args []string) bool { return w.c.find(args) >= 0 }
	for _, args := range w.release.Needed(w.module, has) {
		for _, a := range args {
			w.c.list = append(w.c.list, argument{a, -1})
		}
		w.changed = true
		w.note("release %s asks for %s", w.release, args[0])
	}
}

// find is where a flag is, with the value that stands behind it in args, or with any
// where none does; -1 where it is not.
func (c *commandLine) find(args []string) int {
	for i := c.index(0, args[0]); i >= 0; i = c.index(i+1, args[0]) {
		if v, _ := c.valueAt(i); len(args) == 1 || sameValue(v, args[1]) {
			return i
		}
	}
	return -1
}

// sameValue compares two values of a flag; of JSON what it says.
func sameValue(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil {
		return reflect.DeepEqual(x, y)
	}
	return a == b
}

// replace puts other arguments in the place of the flag at i, and of its value where
// it has one.
func (c *commandLine) replace(i int, valued bool, with []string) {
	n := 1
	if valued {
		_, n = c.valueAt(i)
	}
	if strings.Contains(c.list[i].value, "=") && len(with) > 1 {
		with = []string{with[0] + "=" + with[1]}
	}
	var fresh []argument
	for k, value := range with {
		origin := -1
		if k < n {
			origin = c.list[i+k].origin
		}
		fresh = append(fresh, argument{value, origin})
	}
	c.list = slices.Replace(c.list, i, i+n, fresh...)
}
