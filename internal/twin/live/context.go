package live

import (
	"context"
	"encoding/json"

	"headway/internal/telemetry"
)

// mostContext is the longest context that is believed.
const mostContext = 1 << 24

// longestContext is how many tokens the server takes for a prompt and its reply, as
// vLLM and SGLang say it beside the model's name; 0 where it does not say.
func (s *Server) longestContext(ctx context.Context) int {
	within, cancel := context.WithTimeout(ctx, telemetry.Within)
	defer cancel()
	list, err := s.client.Get(within, 0, "/v1/models", telemetry.MostBytes)
	if err != nil {
		return 0
	}
	return contextIn(list, s.Served())
}

// contextIn finds the longest context of a model in a list of models.
func contextIn(list []byte, model string) int {
	var l struct {
		Data []struct {
			ID  string `json:"id"`
			Max int    `json:"max_model_len"`
		} `json:"data"`
	}
	if json.Unmarshal(list, &l) != nil {
		return 0
	}
	for _, m := range l.Data {
		if m.ID == model && m.Max > 0 && m.Max < mostContext {
			return m.Max
		}
	}
	return 0
}
