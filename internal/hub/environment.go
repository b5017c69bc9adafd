package hub

import (
	"os"
	"path/filepath"
	"strings"
)

// OptionsFromEnv reads the variables that Hugging Face's own library reads:
// HF_TOKEN or HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH (token in
// HF_HOME); HF_HOME, else huggingface in XDG_CACHE_HOME; HF_HUB_CACHE or
// HUGGINGFACE_HUB_CACHE; HF_ENDPOINT; HF_HUB_OFFLINE.
func OptionsFromEnv(getenv func(string) string) Options {
	first := func(names ...string) string {
		for _, n := range names {
			if v := strings.TrimSpace(getenv(n)); v != "" {
				return v
			}
		}
		return ""
	}
	o := Options{
		Token:    first("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
		Home:     first("HF_HOME"),
		Cache:    first("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"),
		Endpoint: first("HF_ENDPOINT"),
	}
	switch strings.ToUpper(first("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		o.Offline = true
	}
	if o.Home == "" {
		if cache := first("XDG_CACHE_HOME"); cache != "" {
			o.Home = filepath.Join(cache, "huggingface")
		} else if home := first("HOME", "USERPROFILE"); home != "" {
			o.Home = filepath.Join(home, ".cache", "huggingface")
		}
	}
	if o.Token == "" && o.Home != "" {
		path := first("HF_TOKEN_PATH")
		if path == "" {
			path = filepath.Join(o.Home, "token")
		}
		// No file is the usual case; one that cannot be read shows as a refusal of
		// the hub, whose message names the variables.
		if data, err := os.ReadFile(path); err == nil {
			o.Token = strings.TrimSpace(string(data))
		}
	}
	return o
}
