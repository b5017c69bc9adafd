package dgd

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Objects are those that a file of YAML or JSON holds, as Kubernetes would read
// them: whole numbers as int64, others as float64. Empty documents are left out.
// The error says which document is at fault, also of a key that stands twice.
func Objects(data []byte) ([]map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8 text")
	}
	var all []map[string]any
	text := strings.TrimPrefix(string(data), bom)
	for i, part := range splitDocuments(text) {
		object, err := decodeObject(part)
		if err == nil {
			err = checkKeys(part)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		if object != nil {
			all = append(all, object)
		}
	}
	return all, nil
}
