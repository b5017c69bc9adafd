package tokenizer

import "unicode"

// splitterList is a pre-tokenizer: its stages, and whether the last of them
// leaves the bytes of the text to a byte-level vocabulary.
type splitterList struct {
	list  []splitter
	bytes bool
}

func readSplitters(n node) splitterList {
	var l splitterList
	l.read(n)
	return l
}

func (l *splitterList) read(n node) {
	if n.null() {
		return
	}
	if l.bytes {
		n.fail("a pre-tokenizer after ByteLevel is not supported")
		return
	}
	add := func(s splitter) { l.list = append(l.list, s) }
	t := classTable()
	switch kind := n.kind(); kind {
	case "Sequence":
		n.only("type", "pretokenizers")
		for _, item := range n.get("pretokenizers").items() {
			l.read(item)
		}
	case "ByteLevel":
		n.only("type", "add_prefix_space", "trim_offsets", "use_regex")
		if n.get("add_prefix_space").flag(true) {
			add(prefixSplitter{})
		}
		if n.get("use_regex").flag(true) {
			add(scanSplitter{scanGPT2(t)})
		}
		l.bytes = true
	case "Split":
		add(readSplit(n))
	case "Metaspace":
		n.only("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep")
		mark, scheme := readMetaspace(n)
		add(metaspaceSplitter{mark, scheme, n.get("split").flag(true)})
	case "Digits":
		add(readDigits(n, t))
	case "Punctuation":
		n.only("type", "behavior")
		add(patternSplitter{scan: scanChar(isPunctuation), behavior: readBehavior(n.get("behavior"))})
	case "Whitespace":
		n.only("type")
		add(patternSplitter{scan: scanWords, behavior: removed, invert: true})
	case "WhitespaceSplit":
		n.only("type")
		add(patternSplitter{scan: scanChar(unicode.IsSpace), behavior: removed})
	default:
		n.fail("pre-tokenizer %q is not supported", kind)
	}
}

func readDigits(n node, t *classes) splitter {
	n.only("type", "individual_digits")
	b := contiguous
	if n.get("individual_digits").flag(false) {
		b = isolated
	}
	return patternSplitter{scan: scanClass(t, classNumber, 1), behavior: b}
}

func readSplit(n node) splitter {
	n.only("type", "pattern", "behavior", "invert")
	n.get("pattern").only("String", "Regex")
	x := patternSplitter{behavior: readBehavior(n.get("behavior")), invert: n.get("invert").flag(false)}
	if literal := n.get("pattern").get("String"); !literal.null() {
		if literal.text("") == "" {
			literal.fail("an empty pattern is not supported")
		}
		x.scan = scanLiteral(literal.text(""))
		return x
	}
	regex := n.get("pattern").get("Regex")
	p, ok := findPattern(regex.text(""))
	if !ok {
		regex.fail("the splitting pattern is not one of those known, and a guess would miscount: %q", regex.text(""))
	}
	// Gaps between matches there are none, so that these come to the same.
	if p.total && (x.behavior == isolated && !x.invert || x.behavior == removed && x.invert) {
		return scanSplitter{p.scan}
	}
	x.scan = p.scan
	return x
}

func readBehavior(n node) behavior {
	switch name := n.text("Isolated"); name {
	case "Isolated":
		return isolated
	case "Removed":
		return removed
	case "Contiguous":
		return contiguous
	case "MergedWithPrevious":
		return mergedWithPrevious
	case "MergedWithNext":
		return mergedWithNext
	default:
		n.fail("behavior %q is not supported", name)
		return isolated
	}
}

func readMetaspace(n node) (mark string, scheme prepend) {
	mark = n.get("replacement").text("▁")
	if mark == "" || charLen(mark, 0) != len(mark) {
		n.get("replacement").fail("want one character, found %q", mark)
	}
	s := n.get("prepend_scheme")
	switch name := s.text("always"); name {
	case "always":
		scheme = prependAlways
	case "first":
		scheme = prependFirst
	case "never":
		scheme = prependNever
	default:
		s.fail("prepend_scheme %q is not supported", name)
	}
	if !n.get("add_prefix_space").flag(true) {
		if !s.null() && scheme != prependNever {
			s.fail("prepend_scheme %q contradicts add_prefix_space false", s.text(""))
		}
		scheme = prependNever
	}
	return mark, scheme
}

func readNormalizers(list []normalizer, n node) []normalizer {
	if n.null() {
		return list
	}
	switch kind := n.kind(); kind {
	case "Sequence":
		n.only("type", "normalizers")
		for _, item := range n.get("normalizers").items() {
			list = readNormalizers(list, item)
		}
		return list
	case "NFC", "NFD", "NFKC", "NFKD":
		n.only("type")
		return append(list, unicodeForm{unicodeForms()[kind]})
	case "Lowercase":
		n.only("type")
		return append(list, lowercase{})
	case "Strip":
		n.only("type", "strip_left", "strip_right")
		return append(list, stripSpace{n.get("strip_left").flag(true), n.get("strip_right").flag(true)})
	case "Prepend":
		n.only("type", "prepend")
		return append(list, prependText{n.get("prepend").text("")})
	case "Replace":
		return append(list, readReplace(n))
	case "Precompiled":
		n.only("type", "precompiled_charsmap")
		m := n.get("precompiled_charsmap")
		c, err := parseCharsmap(m.text(""))
		if err != nil {
			m.fail("%w", err)
			return list
		}
		return append(list, c)
	default:
		n.fail("normalizer %q is not supported", kind)
		return list
	}
}

func readReplace(n node) normalizer {
	n.only("type", "pattern", "content")
	n.get("pattern").only("String", "Regex")
	content := n.get("content").text("")
	if regex := n.get("pattern").get("Regex"); !regex.null() {
		if regex.text("") != ` {2,}` {
			regex.fail("the pattern %q is not supported", regex.text(""))
		}
		return replaceSpaces{content}
	}
	literal := n.get("pattern").get("String")
	if literal.text("") == "" {
		literal.fail("an empty pattern is not supported")
		return nil
	}
	return replaceAll{literal.text(""), content}
}

func readDecoders(list []decoder, n node, byteLevel bool) []decoder {
	switch kind := n.kind(); kind {
	case "":
		if !n.null() {
			n.fail("the decoder has no type")
		}
		return list
	case "Sequence":
		n.only("type", "decoders")
		for _, item := range n.get("decoders").items() {
			list = readDecoders(list, item, byteLevel)
		}
		return list
	case "ByteLevel":
		n.only("type", "add_prefix_space", "trim_offsets", "use_regex")
		if !byteLevel || len(list) > 0 {
			n.fail("a ByteLevel decoder is supported only as the first, after a ByteLevel pre-tokenizer")
		}
		return append(list, byteDecoder{})
	case "Metaspace":
		n.only("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep")
		mark, scheme := readMetaspace(n)
		return append(list, metaspaceDecoder{mark, scheme != prependNever})
	case "Replace":
		return append(list, normalDecoder{readReplace(n)})
	case "ByteFallback":
		n.only("type")
		return append(list, fallbackDecoder{})
	case "Fuse":
		n.only("type")
		return append(list, fuseDecoder{})
	case "Strip":
		n.only("type", "content", "start", "stop")
		return append(list, stripDecoder{n.get("content").text(" "), n.get("start").number(0, 1000),
			n.get("stop").number(0, 1000)})
	default:
		n.fail("decoder %q is not supported", kind)
		return list
	}
}
