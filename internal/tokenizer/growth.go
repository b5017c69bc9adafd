package tokenizer

import "strings"

// A normalizer of a file is a rule of somebody else's: one that replaces a
// letter by a megabyte would make a text of a megabyte one of a terabyte. Rules
// of real tokenizers triple a text (a space becomes "▁"), the largest of
// Unicode's own multiplies three bytes by eleven.
const (
	// mostGrowth is by how much all normalizers together may multiply a text.
	mostGrowth = 256
	// mostAdded is how many bytes one may add to a text, whatever its length.
	mostAdded = 1024
	// mostNormalizers is how many there may be.
	mostNormalizers = 64
)

// grower is a normalizer that can make a text longer: by a factor at most, and by
// a number of bytes beside.
type grower interface {
	growth() (factor float64, added int)
}

// U+0390 in NFD, U+FDFA in NFKD (Unicode FAQ, Normalization)
func (n unicodeForm) growth() (float64, int)   { return 18, 0 }
func (lowercase) growth() (float64, int)       { return 1.5, 0 }
func (n prependText) growth() (float64, int)   { return 1, len(n.prefix) }
func (n replaceSpaces) growth() (float64, int) { return max(1, float64(len(n.new))/2), 0 }
func (n replaceAll) growth() (float64, int) {
	return max(1, float64(len(n.new))/float64(len(n.old))), 0
}

func (m *charsmap) growth() (float64, int) {
	longest := 1
	for value := range strings.SplitSeq(m.values, "\x00") {
		longest = max(longest, len(value))
	}
	return float64(longest), 0
}

// checkGrowth refuses normalizers that can make a text without a bound longer.
func checkGrowth(list []normalizer, n node) {
	if len(list) > mostNormalizers {
		n.fail("%d steps are more than any tokenizer has (%d)", len(list), mostNormalizers)
		return
	}
	total, unicodeForms := 1.0, false
	for _, x := range list {
		g, grows := x.(grower)
		if _, form := x.(unicodeForm); form {
			// A second form finds nothing left to take apart.
			if grows = !unicodeForms; grows {
				unicodeForms = true
			}
		}
		if !grows {
			continue
		}
		factor, added := g.growth()
		if added > mostAdded {
			n.fail("a step adds %d bytes to every text; %d are the most", added, mostAdded)
		}
		if total *= factor; total > mostGrowth {
			n.fail("the steps can make a text more than %d times longer, which no tokenizer of "+
				"a model does", mostGrowth)
		}
	}
}

// checkDecoders refuses decoders that do.
func checkDecoders(list []decoder, n node) {
	var rules []normalizer
	for _, d := range list {
		if r, ok := d.(normalDecoder); ok {
			rules = append(rules, r.normalizer)
		}
	}
	checkGrowth(rules, n)
}
