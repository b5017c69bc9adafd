#!/usr/bin/env python3
"""Compares this package with the reference libraries on random texts: those of
make_fixtures.py and characters from all of Unicode, for every fixture, for a
SentencePiece normalisation of full size, and for o200k_base both as the built-in
vocabulary and written as a tokenizer.json.

    python testdata/crosscheck.py FOLDER-WITH-o200k_base.tiktoken [TEXTS [SEED]]

Run it in the folder of the package: it calls `go test`, once a tokenizer.
"""
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers

import make_fixtures as mf

# Characters that every Unicode version in use agrees on (Python's own is the oldest).
ASSIGNED = [chr(c) for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
# The tables behind NFKD and Punctuation in the reference library are years older
# than its regular expressions: compared on characters that are older still.
OLD = [c for c in ASSIGNED if unicodedata.ucd_3_2_0.category(c) != "Cn"]
OLD_TABLES = ("gpt2_prefix.tokenizer.json", "punctuation.tokenizer.json")
COMMON = [c for c in OLD if ord(c) < 0x3100]


def text(rng, characters):
    t = mf.rand_text(rng)
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(t) + 1)
        t = t[:at] + "".join(rng.choice(characters if rng.randrange(2) else COMMON) for _ in range(rng.randrange(1, 4))) + t[at:]
    return t


def o200k_file(enc, path):
    """o200k_base as a tokenizer.json: the merges are the pairs its ranks imply."""
    chars = {b: c for b, c in zip(*alphabet())}
    ranks = enc._mergeable_ranks
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda x: x[1]):
        if len(token) > 1:
            lower = bpe_split(ranks, token, rank)
            if len(lower) == 2:
                merges.append([visible(chars, x) for x in lower])
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
             "byte_fallback": False, "ignore_merges": True, "vocab": {visible(chars, t): r for t, r in ranks.items()}, "merges": merges}
    pre = mf.part(pre_tokenizers.Sequence([mf.split(mf.PATTERNS["o200k"][0]), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))
    path.write_text(json.dumps({"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": pre,
                                "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, "model": model}))


def bpe_split(ranks, token, limit):
    parts = [token[i:i + 1] for i in range(len(token))]
    while True:
        best = min(((ranks.get(a + b, limit), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))), default=(limit, 0))
        if best[0] >= limit:
            return parts
        i = best[1]
        parts[i:i + 2] = [parts[i] + parts[i + 1]]


def alphabet():
    bs = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in bs]
    return bs + rest, [chr(b) for b in bs] + [chr(256 + i) for i in range(len(rest))]


def visible(chars, token):
    return "".join(chars[b] for b in token)


def check(name, tokenizer, encode, decode, texts):
    with tempfile.TemporaryDirectory() as d:
        rows = mf.golden(encode, decode, texts)
        mf.write_golden(pathlib.Path(d, "golden.json"), rows)
        r = subprocess.run(["go", "test", "-count=1", "-run", "TestCrosscheck", ".", "-args", "-tokenizer", str(tokenizer), "-golden", d + "/golden.json"],
                           capture_output=True, text=True)
        print(f"{name}: {len(rows)} texts, {sum(len(x['ids']) for x in rows)} tokens: {'equal' if r.returncode == 0 else 'DIFFERENT'}", flush=True)
        if r.returncode:
            print(r.stdout[:3000], r.stderr[:500])
    return r.returncode == 0


def main():
    folder, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 42)
    texts, old_texts = ([text(rng, c) for _ in range(n)] for c in (ASSIGNED, OLD))
    ok = True
    with tempfile.TemporaryDirectory() as d:
        enc = mf.builtin(folder)
        ok &= check("builtin", "builtin", lambda t: enc.encode(t, allowed_special="all"), enc.decode, texts)
        big = pathlib.Path(d, "tokenizer.json")
        o200k_file(enc, big)
        files = [big, pathlib.Path(d, "nmt_nfkc.tokenizer.json")]
        files[1].write_text(mf.unigram(
            pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
            normalizers.Sequence([normalizers.Precompiled(mf.charsmap()), normalizers.Replace(Regex(" {2,}"), " ")])).to_str())
        for f in files + sorted(mf.HERE.glob("*.tokenizer.json")):
            ok &= check(f.name, f, *mf.reference(Tokenizer.from_file(str(f))), old_texts if f.name in OLD_TABLES else texts)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
