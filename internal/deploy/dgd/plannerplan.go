package dgd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"headway/internal/deploy/release"
)

// plan is the settings of a planner, in their order.
type plan []plannerSetting

// plannerSetting is one of them; its value is JSON.
type plannerSetting struct {
	name  string
	value json.RawMessage
}

// set gives a setting a value: in its place, or behind the others.
func (p *plan) set(name string, value json.RawMessage) {
	for i := range *p {
		if (*p)[i].name == name {
			(*p)[i].value = value
			return
		}
	}
	*p = append(*p, plannerSetting{name, value})
}

// add sets a value of ours, none of which JSON cannot say.
func (p *plan) add(name string, value any) {
	j, _ := json.Marshal(value)
	p.set(name, j)
}

// JSON is the plan as one object.
func (p plan) JSON() string {
	var b strings.Builder
	for i, s := range p {
		b.WriteString(map[bool]string{true: "{", false: ", "}[i == 0])
		fmt.Fprintf(&b, "%q: %s", s.name, s.value)
	}
	if len(p) == 0 {
		b.WriteByte('{')
	}
	return b.String() + "}"
}

// flags are the plan as arguments. Those that are true or false are switches.
func (p plan) flags() []string {
	var out []string
	for _, s := range p {
		flag := "--" + strings.ReplaceAll(s.name, "_", "-")
		var text string
		switch {
		case string(s.value) == "true":
			out = append(out, flag)
		case string(s.value) == "false" || string(s.value) == "null":
		case json.Unmarshal(s.value, &text) == nil:
			out = append(out, flag+"="+text)
		default:
			out = append(out, flag+"="+string(s.value))
		}
	}
	return out
}

// spelled is the plan in the names of a release, and the names that it has not.
func (p plan) spelled(r release.Release) (now plan, unknown []string) {
	for _, s := range p {
		name, ok := r.Setting(s.name)
		if !ok {
			unknown = append(unknown, s.name)
			continue
		}
		now.set(name, s.value)
	}
	return now, unknown
}

// readPlanArguments reads settings that are given as arguments.
func readPlanArguments(arguments []string) (p plan, err error) {
	var bad []error
	for i := 0; i < len(arguments); i++ {
		flag, value, joined := strings.Cut(arguments[i], "=")
		name := flagName(flag)
		if !joined && i+1 < len(arguments) && flagName(arguments[i+1]) == "" {
			i++
			value, joined = arguments[i], true
		}
		switch {
		case name == "":
			bad = append(bad, fmt.Errorf("%q is no setting of a planner: write its name and its value, with = between",
				flag))
		case !joined:
			p.set(settingName(name), json.RawMessage("true"))
		default:
			p.set(settingName(name), jsonOf(value))
		}
	}
	return p, errors.Join(bad...)
}

func settingName(flag string) string {
	return strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_")
}

// jsonOf is text as JSON: what is JSON already, also as Python writes it, and text
// otherwise.
func jsonOf(text string) json.RawMessage {
	switch text {
	case "True", "False":
		return json.RawMessage(strings.ToLower(text))
	case "None":
		return json.RawMessage("null")
	}
	if json.Valid([]byte(text)) {
		var b bytes.Buffer
		if json.Compact(&b, []byte(text)) == nil {
			return b.Bytes()
		}
	}
	j, _ := json.Marshal(text)
	return j
}

// readPlanJSON reads settings from one JSON object.
func readPlanJSON(text string) (p plan, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("it is no JSON object: %w", err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("it is no JSON object: %w", err)
		}
		p.set(name.(string), jsonOf(string(value)))
	}
	return p, nil
}
