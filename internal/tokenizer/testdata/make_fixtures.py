#!/usr/bin/env python3
"""Trains small tokenizers and records what the reference libraries make of
awkward text, for the tests of this package.

    pip install tokenizers tiktoken sentencepiece
    python make_fixtures.py [folder with o200k_base.tiktoken]

Writes, beside itself, NAME.tokenizer.json and NAME.golden.json for every
tokenizer, and builtin.golden.json when the folder of the vocabulary is given
(the assets folder of the Go module github.com/pkoukk/tiktoken-go-loader).
"""
import base64
import io
import json
import pathlib
import random
import sys

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent

CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UP, LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TAIL = r"]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n" + TAIL
CASED = (r"[^\r\n\p{L}\p{N}]?" + UP + "*" + LOW + "+%s|" + r"[^\r\n\p{L}\p{N}]?" + UP + "+" + LOW + "*%s"
         + r"|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n/" + TAIL)
PATTERNS = {
    "llama3": [CL100K % "{1,3}"],
    "qwen2": [CL100K % ""],
    "qwen35": [CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n" + TAIL],
    "o200k": [CASED % (CONTRACTION + "?", CONTRACTION + "?", "{1,3}")],
    "tekken": [CASED % ("", "", "")],
    "deepseek": [
        r"\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
        "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    ],
}

SENTENCES = r"""The router sends each request to the worker that holds most of its prefix.
A queue that grows without bound is a measurement of the queue, not of the server.
We measured twelve runs; the slowest took 3147 milliseconds, the fastest 982.
Don't trust a mean: it's what you'd get if nobody had ever waited.
She said they'll come, but I'm sure they've left and he'd rather wait. WE'RE LATE, ISN'T IT?
Every token has a price, every millisecond an owner, every graph a story to tell.
Der schnelle Läufer überquerte die Straße, während es draußen regnete.
Où était-elle passée ? Personne ne l'avait vue depuis l'été dernier, à Nîmes.
El niño comió piñas y melocotones mientras su abuela leía el periódico.
Быстрый поезд прибыл на станцию раньше, чем ожидалось, и все удивились.
Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.
今天的天气很好，我们一起去公园散步吧。服务器每秒处理很多请求。
東京の夜はとても明るいです。カタカナとひらがなが混ざっています。
오늘은 날씨가 좋아서 강가를 걸었습니다. 서버가 응답하지 않습니다.
السلام عليكم ورحمة الله، كيف حالك اليوم؟ الخادم بطيء جدا.
שלום עולם, השרת עונה לאט היום.
नमस्ते दुनिया, आज मौसम अच्छा है।
สวัสดีชาวโลก วันนี้อากาศดีมาก
def add(a, b):\n    \"\"\"Add two numbers.\"\"\"\n    return a + b\n
func main() {\n\tfor i := 0; i < 10; i++ {\n\t\tfmt.Println(i, \"hello\")\n\t}\n}
SELECT name, count(*) FROM users WHERE age >= 21 GROUP BY name ORDER BY 2 DESC;
{"model": "small", "stream": true, "max_tokens": 128, "stop": ["\\n\\n"]}
<div class="row"><a href="/index.html?q=1&amp;r=2">next</a></div>
if (x != null && y[3] == 0x1F) { return -1; } // check limits
Prices: €12.50, £9.99, ¥1000 and $3,456.78 — about 15% less than in 2019.
👍 great work 🎉🎉 see you 🙂 tomorrow 👩‍👩‍👧‍👦 and 🇩🇪🇫🇷!""".split("\n")

STEMS = "serv rout queue token graph measur sampl latenc stream model batch cache prefix decod load work plan"\
    " time rate point line block page report table index value field name".split()
ENDINGS = ["", "s", "ed", "ing", "er", "ers", "able", "ation", "ly", "ful", "less", "ness"]


def corpus():
    rng = random.Random(7)
    for _ in range(3):
        yield from (s.replace("\\n", "\n").replace("\\t", "\t") for s in SENTENCES)
    for _ in range(400):
        yield " ".join(rng.choice(STEMS) + rng.choice(ENDINGS) for _ in range(12)) + ", %d." % rng.randrange(10**6)


AWKWARD = [
    "", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\ufeff", "\u2028", "a", " a", "a ", "Hello", "Hello world", " Hello  world ",
    "hello\n\n\nworld", "hello \n \n world", "a\r\nb\r\n\r\nc", "\t\tindent\n\t\tmore", "   three", "end   ", "end \n", "end\n  ", "x\u00a0y", "\u00a0\u00a0x",
    "x\u2028y\u2029z", "\ufeffbom", "a\u0085b", "\u3000全角\u3000スペース", "a\u200bb", "a\u200db", "\u2003em\u2003space",
    "1", "12", "123", "1234", "12345", "123456", "1234567", "3.14159", "1,000,000", "x1y22z333", "٣٤٥٦", "½ ² ③ Ⅷ", "1e-9", "0x1F600",
    "don't", "DON'T", "Don'T we'll WE'LL they've THEY'VE I'm I'M he'd HE'D it's IT'S you're YOU'RE", "'s", "'S", "''s", "'ll", "'l", "'re'", "'xyz",
    "'ſ we'ſ", "don’t", "rock'n'roll", "O'Neill", "'tis", "a'\u0073\u0301",
    "camelCaseWord", "PascalCaseWord", "HTTPServer", "XMLHttpRequest", "snake_case_word", "SCREAMING_CASE", "kebab-case", "iPhone", "McDonald",
    "ǅungla ǅ ǆ Ǆ", "ªº ʰʷ ːˑ", "ΑΒΓαβγ", "ПриветМир", "中文ABC中文abc", "ABC中文", "日本語テキストABC", "ﬁ ﬀ ﬆ", "İstanbul ISTANBUL ıi",
    "e\u0301", "e\u0301e\u0301", "\u0301", " \u0301a", "n\u0303o", "Å Å A\u030a", "\u0e01\u0e33", "हिन्दी", "क्षि", "ộ o\u0302\u0323", "각 각",
    "👍", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "1️⃣", "❤️", "a👍b", "👍 👍", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "مرحبا بالعالم", "لَا إِلٰهَ", "שָׁלוֹם", "สวัสดี", "தமிழ்", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𠀀𠀁", "\U0001f9ff\U00010348",
    "def f(x):\n    return x  # ok\n", "for(i=0;i<n;i++){a[i]+=b[i];}", "!!!", "?!", "...", "…", "--", "—", "==>", "a/b/c", "http://x.y/z?q=1#r", "//\n\n//", " //\n/",
    "!\nfoo", "!!\r\n\r\nfoo", "(abc)", "#include <x>", "$100", "a@b.c", "\\n\\t", "`code`", "~/.x", "[]{}", "a+b=c", "x^2", "€5", "5€", "©®™", "。、「」",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "<|im_start|>user\nhi<|im_end|>\n", "<s>hi</s>", " <s> hi </s> ", "<0x0A>", "<unk>", "a <mask> b", "x<mask>y", "word<sep>  next", "one two", "tone twofold", "two", "TWO two",
    "▁", "▁a", "a▁b", " ▁ ", "▁▁x", "Ġ", "Ġa", "ĊĀ", "a\u0000b", "\u0001\u001f\u007f", "\u001ca\u001d", "a\u00adb", "\ue000\uf8ff", "\ufffd", "\uffff", "\U0010ffff",
    "a" * 70, "ab" * 60, "x" * 300, " " * 50, "\n" * 40, "é" * 50, "中" * 60, "supercalifragilisticexpialidocious" * 3, "1" * 40, "!" * 70, "🙂" * 20, "a b " * 40,
    "The router's 3 workers (v2.0) handled 1234 requests\n\tin 56.7ms; it's fine!\r\n",
]

ALPHABETS = [
    "abcdefghij ", "ABCabc '", "'stmdlrvSTMDLRVE e", "0123456789 ", " \t\n\r", "  \n", "!?.,;:/\\'\"-_()[]{}<>|@#$%^&*+=~`", "éüñçàßøÆŒ", "абвАБВ ", "αβγΑΒΓς ",
    "中文字符語言 ", "あいうアイウー", "가나다각", "مرحبا ", "שלום", "हिंदी ", "สวัส", "\u0301\u0308\u0323\u0e33", "👍🎉🙂\u200d\ufe0f🏽", "🇩🇪🇫🇷", "\u00a0\u2003\u2028\u3000\u0085\u200b\ufeff",
    "½²③Ⅷ٣", "ǅǈªʰⅷⓐ", "\u0000\u0001\u001f\u007f\u00ad", "▁Ġ ", "𝔘𠀀\U0001f9ff", "ſKİıﬁ'", "。、「」！？",
]
SNIPPETS = ["<|endoftext|>", "<s>", "</s>", "<mask>", "<sep>", "two", "don't", "they'LL", "server", " the ", "\r\n", "\n\n", "    ", "1234", "def f(", "Hello", "<0x0A>"]


def rand_text(rng):
    out = []
    for _ in range(rng.randrange(1, 8)):
        k = rng.randrange(10)
        if k == 0:
            out.append(rng.choice(SNIPPETS))
        elif k == 1:
            s = rng.choice(SENTENCES)
            i = rng.randrange(len(s))
            out.append(s[i:i + rng.randrange(1, 25)])
        else:
            a = rng.choice(ALPHABETS)
            out.append("".join(rng.choice(a) for _ in range(rng.randrange(1, 7))))
    return "".join(out)


def split(regex, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(regex), behavior, invert)


BYTES = ["<0x%02X>" % b for b in range(256)]


def added(content, **kw):
    return dict({"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}, **kw)


def finish(tok, extra=(), **changes):
    """The JSON of a trained tokenizer with added tokens and other changes to it."""
    j = json.loads(tok.to_str())
    j["added_tokens"] = [a for a in j["added_tokens"] if a["content"] not in BYTES]
    at = max(j["model"]["vocab"].values() if isinstance(j["model"]["vocab"], dict) else range(len(j["model"]["vocab"]))) + 1
    for i, a in enumerate(extra):
        j["added_tokens"].append(dict({"id": at + i}, **a))
    for k, v in changes.items():
        part, _, key = k.partition("__")
        if key:
            j[part][key] = v
        else:
            j[part] = v
    return Tokenizer.from_str(json.dumps(j))


def byte_level(splits, normalizer=None, use_regex=False, size=900, extra=(), prefix=False, **changes):
    tok = Tokenizer(models.BPE())
    parts = list(splits) + [pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)]
    tok.pre_tokenizer = pre_tokenizers.Sequence(parts) if len(parts) > 1 else parts[0]
    tok.decoder = decoders.ByteLevel()
    if normalizer:
        tok.normalizer = normalizer
    tok.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), special_tokens=["<|endoftext|>"], show_progress=False))
    return finish(tok, extra, **changes)


def sentencepiece_bpe(special=("<unk>", "<s>", "</s>"), fallback=True, size=1000, extra=(), **changes):
    tok = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=fallback, fuse_unk=True))
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special) + (BYTES if fallback else []), limit_alphabet=150, show_progress=False))
    return finish(tok, extra, **changes)


def unigram(pre, normalizer=None, fallback=False, size=900, extra=(), **changes):
    tok = Tokenizer(models.Unigram())
    tok.pre_tokenizer = pre
    tok.decoder = decoders.Metaspace()
    if normalizer:
        tok.normalizer = normalizer
    tok.train_from_iterator(corpus(), trainers.UnigramTrainer(
        vocab_size=size, special_tokens=["<unk>", "<s>", "</s>"] + (BYTES if fallback else []), unk_token="<unk>", show_progress=False))
    if fallback:
        changes["model__byte_fallback"] = True
    return finish(tok, extra, **changes)


def charsmap(rules=None):
    """SentencePiece's compiled normalisation, from rules or its own nmt_nfkc."""
    import sentencepiece
    import tempfile
    model = io.BytesIO()
    kw = dict(normalization_rule_name="nmt_nfkc")
    with tempfile.TemporaryDirectory() as d:
        if rules is not None:
            path = pathlib.Path(d, "rules.tsv")
            path.write_text("".join("%s\t%s\n" % tuple(" ".join("%X" % ord(c) for c in x) for x in r) for r in rules))
            kw = dict(normalization_rule_tsv=str(path))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c d e f"] * 10), model_writer=model, vocab_size=12, model_type="char", minloglevel=2, **kw)

    def fields(data):  # protocol buffers: field number, bytes
        at = 0

        def varint():
            nonlocal at
            n = shift = 0
            while True:
                b = data[at]
                at += 1
                n |= (b & 127) << shift
                shift += 7
                if b < 128:
                    return n
        while at < len(data):
            key = varint()
            if key & 7 == 2:
                size = varint()
                yield key >> 3, data[at:at + size]
                at += size
            elif key & 7 == 0:
                varint()
            else:
                at += {1: 8, 5: 4}[key & 7]
    spec = next(v for k, v in fields(model.getvalue()) if k == 3)
    return next(v for k, v in fields(spec) if k == 2)


RULES = [("é", "e"), ("e\u0301", "e"), ("ß", "ss"), ("™", "TM"), ("\u00a0", " "), ("\u3000", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("…", "..."), ("½", "1/2"),
         ("ﬁ", "fi"), ("\u200b", ""), ("\ufeff", ""), ("\u212b", "\u00c5"), ("！", "!"), ("？", "?"), ("\u0e33", "\u0e4d\u0e32"), ("ÉÉ", "EE"), ("\u1100\u1161\u11a8", "\uac01")]

LLAMA_DECODER = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
CHAT = [added("<|im_start|>"), added("<|im_end|>"), added("<mask>", lstrip=True), added("<sep>", rstrip=True), added("two", single_word=True, special=False, normalized=True)]


def part(x):
    return json.loads(x.__getstate__())


def build_all():
    for name, regexes in PATTERNS.items():
        changes = {"model__ignore_merges": True} if name in ("llama3", "o200k", "tekken") else {}
        yield name, byte_level([split(r) for r in regexes], normalizer=normalizers.NFC() if name.startswith("qwen") else None, extra=CHAT, **changes)
    yield "gpt2", byte_level([], use_regex=True, extra=CHAT)
    yield "gpt2_prefix", byte_level([], use_regex=True, prefix=True, normalizer=normalizers.NFKD())
    yield "digits", byte_level([pre_tokenizers.Digits(individual_digits=True)], use_regex=True)
    yield "punctuation", byte_level([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(individual_digits=False)], use_regex=True)

    llama = part(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]))
    yield "llama2", sentencepiece_bpe(normalizer=llama, pre_tokenizer=None, decoder=part(LLAMA_DECODER), extra=CHAT)
    yield "mistral", sentencepiece_bpe(pre_tokenizer=part(pre_tokenizers.Metaspace(prepend_scheme="first", split=False)), decoder=part(LLAMA_DECODER), extra=CHAT)
    yield "metaspace_always", sentencepiece_bpe(decoder=part(decoders.Metaspace()), extra=CHAT[:2])
    yield "gemma", sentencepiece_bpe(
        normalizer=part(normalizers.Replace(" ", "▁")), pre_tokenizer=part(pre_tokenizers.Split(" ", "merged_with_previous")),
        decoder=part(decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])),
        extra=[added("\n" * n, special=False) for n in (2, 3, 4)] + [added("▁" * n, special=False) for n in (2, 4)])
    yield "unk_fused", sentencepiece_bpe(fallback=False, decoder=None)
    yield "unk_single", sentencepiece_bpe(fallback=False, model__fuse_unk=False, pre_tokenizer=part(pre_tokenizers.Whitespace()), decoder=None)
    yield "unk_dropped", sentencepiece_bpe(fallback=False, model__unk_token=None, pre_tokenizer=part(pre_tokenizers.Metaspace(prepend_scheme="never")),
                                           normalizer=part(normalizers.Lowercase()), decoder=part(decoders.Metaspace(prepend_scheme="never")))

    yield "unigram", unigram(pre_tokenizers.Metaspace(), extra=CHAT)
    yield "unigram_fallback", unigram(pre_tokenizers.Metaspace(prepend_scheme="first"), fallback=True,
                                      decoder=part(decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])))
    yield "t5", unigram(
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
        normalizers.Sequence([normalizers.Precompiled(charsmap(RULES)), normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), "▁")]))


def behaviors():
    """Every behaviour of Split, on one vocabulary whose merges know no splits."""
    for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            yield f"split_{b}{'_invert' if invert else ''}", part(pre_tokenizers.Sequence([
                pre_tokenizers.Split(Regex(r"\p{N}"), b, invert), pre_tokenizers.Split("a", b, invert), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))


def builtin(folder):
    import tiktoken
    from tiktoken_ext import openai_public
    lines = pathlib.Path(folder, "o200k_base.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(x.split()[0]): int(x.split()[1]) for x in lines if x}
    openai_public.load_tiktoken_bpe = lambda *a, **k: ranks
    return tiktoken.Encoding(**openai_public.o200k_base())


def golden(encode, decode, texts):
    rows = []
    for t in texts:
        ids = encode(t)
        rows.append({"text": t, "ids": ids, "decoded": decode(ids)})
    return rows


def write_golden(path, rows):
    path.write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows) + "\n]\n")


def reference(tok):
    return (lambda t: tok.encode(t, add_special_tokens=False).ids), (lambda ids: tok.decode(ids, skip_special_tokens=False))


def main():
    rng = random.Random(1)
    texts = AWKWARD + [rand_text(rng) for _ in range(150)]
    toks = dict(build_all())
    base = json.loads(byte_level([], size=700).to_str())
    for name, pre in behaviors():
        toks[name] = Tokenizer.from_str(json.dumps(dict(base, pre_tokenizer=pre)))
    for name, tok in toks.items():
        (HERE / f"{name}.tokenizer.json").write_text(json.dumps(json.loads(tok.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
        write_golden(HERE / f"{name}.golden.json", golden(*reference(tok), texts if not name.startswith("split_") else texts[::4]))
    if len(sys.argv) > 1:
        enc = builtin(sys.argv[1])
        write_golden(HERE / "builtin.golden.json", golden(lambda t: enc.encode(t, allowed_special="all"), enc.decode, texts))


if __name__ == "__main__":
    main()
