"""Ids and cut-off text of transformers' CLIPTokenizer for mixed-script strings, over several tokenizer folders.

Writes fixtures/tokenizer/<folder>/ and fixtures/tokenizer/prompts.json. `python tokenizer.py COUNT` draws COUNT
strings instead of 300 for a longer comparison; the folders stay the same.
"""

import json
import random
import shutil
import sys
from pathlib import Path

from tiny_tokenizer import byte_characters, write_tokenizer
from tokenizers import Tokenizer, models, trainers
from transformers import CLIPTokenizer
from transformers.utils import logging

BLOCKS = [
    (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE00), (0xE00, 0x1100),
    (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2C00), (0x3000, 0x3400), (0x4E00, 0x5000),
    (0xAC00, 0xAD00), (0xF900, 0xFB00), (0xFB00, 0x10000), (0x10000, 0x10400), (0x1D100, 0x1D800), (0x1F000, 0x1FB00),
    (0x20000, 0x20100), (0xE0000, 0xE0200), (0, 0x20), (0x7F, 0xA0), (0, 0x110000),
]
PHRASES = [
    "<|endoftext|>", "<|startoftext|>", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|endoftext", "don't", "I'LL", "we've",
    "'s", "''s", "'RE", "  ", "\t", "\n", "\u0085", "\ufeff", "\u200d", "\u3000", "!!", "!", "e\u0301",
    "\u1100\u1161\u11a8", "İ", "ẞ", "ΣΑΣ", "ſ", "ﬁ", "①", "½", "٣", "</w>", "👩‍👩‍👧", "🇩🇪", "\0",
    "a photo of sks dog", "red car", "<SKS-Dog>",
]


def draw(rnd):
    parts = []
    for _ in range(rnd.randint(1, 8)):
        if rnd.random() < 0.35:
            parts.append(rnd.choice(PHRASES))
            continue
        low, high = rnd.choice(BLOCKS)
        points = [rnd.randrange(low, high) for _ in range(rnd.randint(1, 8))]
        parts.append("".join(chr(point) for point in points if not 0xD800 <= point < 0xE000))
        if rnd.random() < 0.4:
            parts.append(" ")
    return "".join(parts)


def added(content, normalized):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": normalized, "special": True}


def write_folders(base):
    """Every way that special tokens are written down, and vocabularies with many scripts, odd merges and gaps."""
    write_tokenizer(base / "end-pad", 150, "<|endoftext|>")
    write_tokenizer(base / "bang-pad", 150, "!")
    CLIPTokenizer.from_pretrained(base / "bang-pad").save_pretrained(base / "one-file")

    listed = base / "listed"
    write_tokenizer(listed, 20, "!")
    config = json.loads((listed / "tokenizer_config.json").read_text())
    size = len(json.loads((listed / "vocab.json").read_text()))
    tokens = [added("<|startoftext|>", True), added("<|endoftext|>", False), added("<sks-dog>", True), added("red car", False)]
    config["added_tokens_decoder"] = {"0": added("!", False), **{str(size - 2 + i): token for i, token in enumerate(tokens)}}
    (listed / "tokenizer_config.json").write_text(json.dumps(config))

    scripts = base / "scripts"
    write_tokenizer(scripts, 1, "<|endoftext|>")
    reference = CLIPTokenizer.from_pretrained(scripts).backend_tokenizer
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer, trained.pre_tokenizer = reference.normalizer, reference.pre_tokenizer
    rnd = random.Random(11)
    trainer = trainers.BpeTrainer(vocab_size=1500, end_of_word_suffix="</w>", show_progress=False, initial_alphabet=byte_characters())
    trained.train_from_iterator([draw(rnd) for _ in range(3000)], trainer)
    merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
    write_vocabulary(scripts, merges)

    # Merges out of order: a merge can make a pair that ranks before it.
    shuffled = base / "shuffled"
    shutil.copytree(scripts, shuffled)
    rnd.shuffle(merges)
    write_vocabulary(shuffled, merges)

    gaps = base / "gaps"
    write_tokenizer(gaps, 60, "<|endoftext|>")
    names = list(json.loads((gaps / "vocab.json").read_text()))
    kept = names[:40] + names[60:150] + names[256:300] + names[330:]
    lines = (gaps / "merges.txt").read_text().split("\n")[1:-1]
    merges = [tuple(line.split(" ")) for line in lines]
    merges = [pair for pair in merges if {*pair, "".join(pair)} <= set(kept)]
    (gaps / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(kept)}, ensure_ascii=False))
    write_merges(gaps, merges)
    (gaps / "special_tokens_map.json").unlink()
    (gaps / "tokenizer_config.json").unlink()
    (gaps / "added_tokens.json").write_text(json.dumps({"red car": len(kept)}))


def write_vocabulary(folder, merges):
    characters = byte_characters()
    tokens = characters + [c + "</w>" for c in characters] + ["".join(pair) for pair in merges]
    tokens = list(dict.fromkeys([*tokens, "<|startoftext|>", "<|endoftext|>"]))
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False))
    write_merges(folder, merges)


def write_merges(folder, merges):
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")


def main():
    logging.set_verbosity_error()
    base = Path(__file__).parent.parent / "fixtures" / "tokenizer"
    shutil.rmtree(base, ignore_errors=True)
    write_folders(base)
    rnd = random.Random(5)
    texts = ["", " ", "a photo of sks dog", "a photo of a red car, in the snow! " * 12, "x" * 500]
    texts += [draw(rnd) for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 300)]
    results = {}
    for folder in sorted(path.name for path in base.iterdir()):
        tokenizer = CLIPTokenizer.from_pretrained(base / folder)
        results[folder] = []
        for text in texts:
            ids = tokenizer(text, padding="max_length", max_length=77, truncation=True).input_ids
            whole = tokenizer(text, padding="longest").input_ids
            cut = tokenizer.batch_decode([whole[76:-1]])[0] if len(whole) > 77 else None
            used = min(len(whole), 77)
            assert set(ids[used:]) <= {tokenizer.pad_token_id}
            results[folder].append([ids[:used], cut] if cut is not None else [ids[:used]])
        results[folder] = {"pad": tokenizer.pad_token_id, "prompts": results[folder]}
    text = json.dumps({"texts": texts, "folders": results}, separators=(",", ":"))
    (base / "prompts.json").write_text(text)
    print(len(texts), "texts,", len(text), "bytes")


main()
