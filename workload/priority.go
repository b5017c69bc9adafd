package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// hintRanges are the whole numbers that Dynamo reads in nvext.agent_hints, and their
// ranges: it refuses a request with another value, at the cost of the request.
var hintRanges = []struct {
	name        string
	least, most int64
}{
	{"priority", math.MinInt32, math.MaxInt32},
	{"strict_priority", 0, math.MaxUint32},
	{"osl", 0, math.MaxUint32},
}

// HasPriority says whether the members of a request's body hint at a priority other
// than 0 in nvext.agent_hints.
func HasPriority(extra json.RawMessage) bool {
	if !bytes.Contains(extra, []byte("agent_hints")) {
		return false
	}
	var body struct {
		NVExt *struct {
			Hints struct {
				Priority    float64 `json:"priority"`
				Sensitivity float64 `json:"latency_sensitivity"`
			} `json:"agent_hints"`
		} `json:"nvext"`
	}
	return json.Unmarshal(extra, &body) == nil && body.NVExt != nil &&
		(body.NVExt.Hints.Priority != 0 || body.NVExt.Hints.Sensitivity != 0)
}

// CheckHints finds a hint for Dynamo's router that its frontend would refuse, in the
// members of a request's body; nil where there is none. The error names the field and
// its range.
func CheckHints(extra json.RawMessage) error {
	if !bytes.Contains(extra, []byte("agent_hints")) {
		return nil
	}
	var body struct {
		NVExt *struct {
			Hints map[string]json.RawMessage `json:"agent_hints"`
		} `json:"nvext"`
	}
	if json.Unmarshal(extra, &body) != nil || body.NVExt == nil {
		return nil // what is no object is the server's to judge
	}
	for _, h := range hintRanges {
		raw, there := body.NVExt.Hints[h.name]
		if !there || string(raw) == "null" {
			continue
		}
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil || n < h.least || n > h.most {
			return fmt.Errorf("nvext.agent_hints.%s %.40s: must be a whole number from %d to %d", h.name, raw,
				h.least, h.most)
		}
	}
	return nil
}
