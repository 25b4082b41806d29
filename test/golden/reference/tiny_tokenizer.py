"""A CLIP tokenizer folder with a small byte-pair vocabulary, laid out as the real one: bytes, bytes at a word's end,
merges in order of learning, then the two markers."""

import json
from collections import Counter
from pathlib import Path

WORDS = (
    "a photo of sks dog in the snow on beach red car with blue sky and mountains painting portrait woman man cat "
    "house tree forest river lake city street night light day sun moon star water fire stone wood metal glass paper "
    "small large old new high quality detailed drawing sketch oil watercolor digital art render object toy vase can "
    "duck flower green yellow purple orange black white grey brown pink gold silver running sitting standing wearing "
    "hat table chair window door field garden road bridge castle ship boat train plane bird fish horse sheep cow bear"
).split()


def byte_characters() -> list[str]:
    """GPT-2's printable stand-in for each byte, in the vocabulary's order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(count: int) -> list[tuple[str, str]]:
    words = [[*word[:-1], word[-1] + "</w>"] for word in WORDS]
    merges = []
    while len(merges) < count:
        pairs = Counter(pair for word in words for pair in zip(word, word[1:]))
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = ["".join(best)]
                i += 1
    return merges


def write_tokenizer(folder: Path, merge_count: int, pad: str) -> int:
    """Writes vocab.json, merges.txt and the two configs; returns the vocabulary's size."""
    folder.mkdir(parents=True, exist_ok=True)
    characters = byte_characters()
    merges = learn_merges(merge_count)
    tokens = characters + [c + "</w>" for c in characters] + ["".join(m) for m in merges]
    tokens = list(dict.fromkeys([*tokens, "<|startoftext|>", "<|endoftext|>"]))
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n")
    marker = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    bos, eos = ({"content": c, **marker} for c in ("<|startoftext|>", "<|endoftext|>"))
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"bos_token": bos, "eos_token": eos, "pad_token": pad, "unk_token": eos}, indent=2)
    )
    typed = {"__type": "AddedToken"}
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "add_prefix_space": False, "bos_token": {**typed, **bos}, "do_lower_case": True, "eos_token": {**typed, **eos},
        "errors": "replace", "model_max_length": 77, "pad_token": pad, "tokenizer_class": "CLIPTokenizer",
        "unk_token": {**typed, **eos},
    }, indent=2))
    return len(tokens)
