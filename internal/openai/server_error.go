package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// ServerError is a refusal as the API words it: a status and an error object.
type ServerError struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Type and Code are the object's "type" and "code"; Param names the
	// field of the request that is at fault. Empty Code and Param are null.
	Type, Code, Param string
	Message           string
}

// Error makes a ServerError usable as an error.
func (e *ServerError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}

// Body is the error object as JSON.
func (e *ServerError) Body() []byte {
	type object struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	body, err := json.Marshal(map[string]object{"error": {e.Message, e.Type, orNull(e.Param), orNull(e.Code)}})
	if err != nil {
		// Strings always encode; the text is for whoever breaks that.
		return []byte(`{"error":{"message":` + strconv.Quote(err.Error()) + `}}`)
	}
	return body
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// badRequest is a 400 about one field of the request; param may be empty.
func badRequest(param, format string, args ...any) *ServerError {
	return &ServerError{
		Status:  http.StatusBadRequest,
		Type:    "invalid_request_error",
		Param:   param,
		Message: fmt.Sprintf(format, args...),
	}
}
