// Package hub finds the files that describe a model: tokenizer.json,
// config.json and the like.
//
// A model is a local folder or file, or a name such as "org/name". A name is
// looked for in the Hugging Face cache, which other programs of the machine
// fill and read as well, and after that on the hub, from where the file goes
// into the cache. The caller gets the path of a complete file or an *Error that
// says what to do.
//
// What it refuses: names that could lead out of the cache, files that arrived
// incomplete, and sending the access token to any host but the hub's own. It
// does not ask the hub whether a cached file is still the newest, lists no
// repositories and uploads nothing.
package hub

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	"headway/internal/bound"
)

const (
	defaultEndpoint = "https://huggingface.co"
	defaultRevision = "main"
)

// Options say where files may come from. The zero value is the public hub,
// without a token, with the cache in its usual place.
type Options struct {
	Token    string       // access token; "": ask without one
	Home     string       // folder of Hugging Face's files; "": .cache/huggingface in the home folder
	Cache    string       // folder of cached models; "": hub in Home
	Endpoint string       // URL of the hub; "": the public one
	Revision string       // branch, tag or commit; "": main
	Offline  bool         // use no network
	MaxBytes bound.Bytes  // of a file that is fetched; 0: 256 MiB
	Client   *http.Client // "": one that gives up connecting after 5 seconds
	// Kept is the folder of what headway makes of tokenizers, which no other program
	// reads; "" keeps nothing.
	Kept string
}

// File returns the path of one file of a model: the file itself when model is
// the path of a file, the file in it when it is a folder, and otherwise the file
// in the cache, downloaded first where it is not there.
//
// ctx bounds the download. The error is an *Error, but for an end of ctx, which
// is wrapped as it is.
func File(ctx context.Context, o Options, model, file string) (path string, err error) {
	if !validFile(file) {
		return "", &Error{Model: model, File: file, Kind: BadName,
			Detail: "a file name is relative, with / between its parts, and leads to no other folder"}
	}
	if info, err := os.Stat(model); err == nil {
		return local(model, file, info)
	}
	if looksLocal(model) {
		return "", &Error{Model: model, File: file, Kind: NotFound, Detail: "there is no such folder or file"}
	}
	o, err = o.complete()
	if err != nil {
		return "", &Error{Model: model, File: file, Kind: Storage, Err: err}
	}
	if detail := checkNames(model, o.Revision); detail != "" {
		return "", &Error{Model: model, File: file, Kind: BadName, Detail: detail}
	}
	r := repository{folder: filepath.Join(o.Cache, folderName(model)), revision: o.Revision}
	if path, ok := r.find(file); ok {
		return path, nil
	}
	if o.Offline {
		return "", &Error{Model: model, File: file, Kind: Offline,
			Detail: "it is not in the cache " + o.Cache + ", and working offline is asked for (HF_HUB_OFFLINE)"}
	}
	d := download{options: o, model: model, file: file, repository: r, stall: stallLimit}
	return d.run(ctx)
}

func local(model, file string, info os.FileInfo) (string, error) {
	if !info.IsDir() {
		return model, nil
	}
	path := filepath.Join(model, filepath.FromSlash(file))
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", &Error{Model: model, File: file, Kind: NotFound, Detail: "the local folder has no such file"}
	}
	return path, nil
}

// complete fills in what is not set.
func (o Options) complete() (Options, error) {
	if o.Home == "" && o.Cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return o, err
		}
		o.Home = filepath.Join(home, ".cache", "huggingface")
	}
	if o.Cache == "" {
		o.Cache = filepath.Join(o.Home, "hub")
	}
	if o.Endpoint == "" {
		o.Endpoint = defaultEndpoint
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = sizeLimit
	}
	if o.Revision == "" {
		o.Revision = defaultRevision
	}
	return o, nil
}
