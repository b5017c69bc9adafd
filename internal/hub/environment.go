package hub

import (
	"path/filepath"
	"strings"

	"headway/internal/bound"
	"headway/internal/config"
)

// OptionsFromEnv reads the variables that Hugging Face's own library reads:
// HF_TOKEN or HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH (token in
// HF_HOME); HF_HOME, else huggingface in XDG_CACHE_HOME; HF_HUB_CACHE or
// HUGGINGFACE_HUB_CACHE; HF_ENDPOINT; HF_HUB_OFFLINE. Of headway itself
// HEADWAY_TOKENIZER_CACHE is the folder Kept, or off; without it that is
// headway/tokenizers in XDG_CACHE_HOME, else in .cache of the home folder.
func OptionsFromEnv(getenv func(string) string) Options {
	first := func(names ...string) string {
		for _, n := range names {
			if v := strings.TrimSpace(getenv(n)); v != "" {
				return v
			}
		}
		return ""
	}
	// A ~ is the home folder, as it is to that library.
	folder := func(names ...string) string {
		path := first(names...)
		if full, err := config.ExpandHome(path, getenv); err == nil {
			return full
		}
		return path
	}
	o := Options{
		Token:    first("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
		Home:     folder("HF_HOME"),
		Cache:    folder("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"),
		Endpoint: first("HF_ENDPOINT"),
	}
	switch strings.ToUpper(first("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		o.Offline = true
	}
	caches := folder("XDG_CACHE_HOME")
	if home := first("HOME", "USERPROFILE"); caches == "" && home != "" {
		caches = filepath.Join(home, ".cache")
	}
	if o.Home == "" && caches != "" {
		o.Home = filepath.Join(caches, "huggingface")
	}
	switch o.Kept = folder("HEADWAY_TOKENIZER_CACHE"); {
	case strings.EqualFold(o.Kept, "off"):
		o.Kept = ""
	case o.Kept == "" && caches != "":
		o.Kept = filepath.Join(caches, "headway", "tokenizers")
	}
	if o.Token == "" && o.Home != "" {
		path := folder("HF_TOKEN_PATH")
		if path == "" {
			path = filepath.Join(o.Home, "token")
		}
		// No file is the usual case; one that cannot be read shows as a refusal of
		// the hub, whose message names the variables.
		if data, err := bound.ReadFile(path, bound.Document, "the token"); err == nil {
			o.Token = strings.TrimSpace(string(data))
		}
	}
	return o
}
