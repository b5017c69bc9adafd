package openai

import (
	"regexp"
	"strings"
)

// Servers word in their own ways that they do not know a field. Those that are
// read, each with a list of names or one:
//
//	nvext: unknown field `x`, expected one of `y`, `z`      Dynamo and others in Rust (serde), Go
//	Unsupported parameter(s): x, y                          Dynamo
//	Unrecognized request argument supplied: x               OpenAI
//	Unknown parameter: 'x'.                                 OpenAI
//	Unknown name "x": Cannot find field.                    Google
//	property 'x' is unsupported                             Groq
//	Additional properties are not allowed ('x' was unexpected)   JSON schema
//	x: Extra inputs are not permitted                       vLLM, SGLang, TensorRT-LLM (pydantic)
//	{"type":"extra_forbidden","loc":["body","x"],…}         the same through FastAPI
//
// What a server would have taken instead, which some list behind the name, is
// not read as refused.
var (
	refusedNames = regexp.MustCompile(`(?i)\b(?:unknown|unrecogni[sz]ed|unsupported|unexpected)(?: request| body)? ` +
		`(?:keyword )?(?:field|parameter|argument|propert|key|name|input)(?:y|ies|s|\(s\))?` +
		`(?: supplied| provided)?:?\s*(` + fieldNames + `)`)
	refusedName = regexp.MustCompile(`(?i)["'` + "`" + `]([\w.]+)["'` + "`" + `]\]?,?:? (?:is|was|are|were) ` +
		`(?:an? )?(?:unsupported|unexpected|unknown|unrecogni[sz]ed|not (?:supported|permitted|allowed|recogni[sz]ed))`)
	forbiddenName = regexp.MustCompile(`(?i)([\w.]+):?\s+extra (?:inputs|fields) (?:are )?not permitted`)
	forbiddenAt   = regexp.MustCompile(`(?i)["']loc["']\s*:\s*[\[(]([^\])]*)[\])]`)
	forbidden     = regexp.MustCompile(`(?i)extra_forbidden|value_error\.extra|` +
		`extra (?:inputs|fields) (?:are )?not permitted`)
	anyName = regexp.MustCompile(`[A-Za-z_][\w.]*`)
)

// fieldNames is a list of names. Where the first has quotes all have: behind them
// serde goes on with a comma and what it expected instead.
const (
	fieldNames = "[\\[(]?(?:" + quotedName + between + quotedName + ")*|" + bareName + between + bareName + ")*)"
	quotedName = "[\"'`]" + bareName + "[\"'`]"
	bareName   = `[A-Za-z_][\w.]*`
	between    = "(?:(?:, | and |, and )"
)

// unescaped undoes what JSON does to quotes and line ends within a text.
var unescaped = strings.NewReplacer(`\\n`, "\n", `\n`, "\n", `\"`, `"`, `\u0022`, `"`, `\u0027`, "'", `\u0060`, "`")

// unknownFields are the names of fields that the body of a refusal says are not
// known, without the objects around them.
func unknownFields(body string) []string {
	body = unescaped.Replace(body)
	var names []string
	add := func(name string) {
		name = strings.TrimRight(name, ".")
		names = append(names, name[strings.LastIndexByte(name, '.')+1:])
	}
	for _, m := range refusedNames.FindAllStringSubmatch(body, -1) {
		for _, name := range anyName.FindAllString(m[1], -1) {
			add(name)
		}
	}
	for _, m := range refusedName.FindAllStringSubmatch(body, -1) {
		add(m[1])
	}
	for _, m := range forbiddenName.FindAllStringSubmatch(body, -1) {
		add(m[1])
	}
	// Each fault is an object of its own among others of other kinds.
	for object := range strings.SplitSeq(body, "{") {
		if at := forbiddenAt.FindStringSubmatch(object); at != nil && forbidden.MatchString(object) {
			if path := anyName.FindAllString(at[1], -1); len(path) > 0 {
				add(path[len(path)-1])
			}
		}
	}
	return names
}
