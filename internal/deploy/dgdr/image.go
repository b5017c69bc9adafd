package dgdr

import "strings"

// images are the names of the published images, by what runs in them.
var images = map[string]string{
	"vllm":    "vllm-runtime",
	"sglang":  "sglang-runtime",
	"trtllm":  "tensorrtllm-runtime",
	"planner": "dynamo-planner",
}

// readImage reads the profiler's image, of which those of the workers and of the
// planner are derived once the engine is known: the same registry and tag, another
// name.
func readImage(r *Request, f *fields) {
	image := f.text("image")
	switch {
	case image == "":
	case strings.ContainsAny(image, " \t\n"):
		f.bad.Add("%s: %q is no image's name", f.at("image"), image)
	default:
		r.Image, r.ImagePath = image, f.at("image")
		r.PlannerImage, _ = derived(image, "planner")
	}
}

// WorkerImage is the image of an engine's workers that follows from the profiler's;
// "" where the request names none. It is not ok of an image that is named by its
// digest, which another image cannot have.
func (r *Request) WorkerImage(backend string) (image string, ok bool) {
	if r.Image == "" {
		return "", true
	}
	return derived(r.Image, backend)
}

func derived(image, of string) (string, bool) {
	if strings.Contains(image, "@") {
		return "", false
	}
	slash := strings.LastIndexByte(image, '/')
	_, tag, tagged := strings.Cut(image[slash+1:], ":")
	name := image[:slash+1] + images[of]
	if tagged {
		name += ":" + tag
	}
	return name, true
}
