package report

import (
	"encoding/json"

	"headway/record"
)

// figureDocument is a Figure in JSON, where null is not known and "Infinity" is of
// requests that failed.
type figureDocument struct {
	Value   record.Number `json:"value"`
	Low     record.Number `json:"low"`
	High    record.Number `json:"high"`
	Few     bool          `json:"few,omitempty"`
	AtLeast bool          `json:"at_least,omitempty"`
}

// MarshalJSON writes the value, its interval and what is to be said of it. The
// unit is in the name of the member that holds it.
func (e Figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(figureDocument{
		Value: record.Number(e.Value), Low: record.Number(e.Low), High: record.Number(e.High),
		Few: e.Few, AtLeast: e.AtLeast,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Figure) UnmarshalJSON(text []byte) error {
	var d figureDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	*e = Figure{Value: float64(d.Value), Low: float64(d.Low), High: float64(d.High), Few: d.Few, AtLeast: d.AtLeast}
	return nil
}
