"""python prompt_weights.py WEBUI: what AUTOMATIC1111's web UI makes of prompts, with its own parser, chunks and emphasis.

WEBUI is a checkout of AUTOMATIC1111/stable-diffusion-webui; its classes are taken out of `modules` and run with transformers' text
encoders of the fixture models. Writes ../fixtures/pipelines/prompts.safetensors: contexts [1,77·n,d], the prompts in the metadata.
"""

import ast
import json
import sys
import types
from pathlib import Path

import re

import torch
from safetensors.torch import save_file

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
LONG = ", ".join(f"a {word} dog with a red ball in the snow" for word in ("small", "large", "happy", "yellow", "wet", "quick", "old"))
PROMPTS = [
    "a photo of a dog",
    "a (photo) of a [dog]",
    "a ((red)) ball, (snow:1.4), (dog:0.5)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
    r"\(literal\] a \\ dog, (unbalanced",
    "(unnecessary)(parens) time 10:30 a: b)",
    "a dog BREAK in the (snow: 1.2 )",
    "BREAK a dog",
    LONG,
    f"({LONG}:1.2)",
    LONG.replace(",", ""),
    "",
]


def taken(file: Path, names: set, namespace: dict) -> dict:
    """Those top-level definitions of a file, run on their own."""
    tree = ast.parse(file.read_text())
    wanted = [n for n in tree.body if getattr(n, "name", None) in names or (isinstance(n, ast.Assign) and n.targets[0].id in names)]
    exec(compile(ast.Module(wanted, []), str(file), "exec"), namespace)
    return namespace


def main(webui: Path):
    modules = webui / "modules"
    parser = taken(modules / "prompt_parser.py", {"re_attention", "re_break", "parse_prompt_attention"}, {"re": re})
    emphasis = taken(modules / "sd_emphasis.py", {"Emphasis", "EmphasisOriginal"}, {"torch": torch, "list": list, "str": str})
    namespace = {
        "torch": torch, "prompt_parser": types.SimpleNamespace(**parser), "devices": types.SimpleNamespace(device="cpu", torch_npu_set_device=lambda: None),
        "sd_emphasis": types.SimpleNamespace(get_current_option=lambda _: emphasis["EmphasisOriginal"]),
        "opts": types.SimpleNamespace(emphasis="Original", comma_padding_backtrack=20, use_old_emphasis_implementation=False,
                                      textual_inversion_add_hashes_to_infotext=False),
    }
    Base = taken(modules / "sd_hijack_clip.py", {"PromptChunk", "FrozenCLIPEmbedderWithCustomWordsBase"}, namespace)["FrozenCLIPEmbedderWithCustomWordsBase"]

    class Words(Base):
        def __init__(self, pipe):
            none = types.SimpleNamespace(find_embedding_at_position=lambda *_: (None, 0))
            super().__init__(types.SimpleNamespace(), types.SimpleNamespace(embedding_db=none, extra_generation_params={}))
            self.tokenizer, self.encoder = pipe.tokenizer, pipe.text_encoder
            self.comma_token = pipe.tokenizer.get_vocab().get(",</w>")
            self.id_start, self.id_end, self.id_pad = (getattr(pipe.tokenizer, f"{k}_token_id") for k in ("bos", "eos", "pad"))

        def tokenize(self, texts):
            return self.tokenizer(texts, truncation=False, add_special_tokens=False)["input_ids"]

        def encode_with_transformers(self, tokens):
            return self.encoder(tokens).last_hidden_state

    out = {}
    for model in ("tiny-sd1", "tiny-sd2"):
        words = Words(pipeline(FIXTURES / "models" / model))
        for i, prompt in enumerate(PROMPTS):
            out[f"{model}.{i}"] = words([prompt]).contiguous()
    parsed = [parser["parse_prompt_attention"](prompt) for prompt in PROMPTS]
    save_file(out, FIXTURES / "pipelines" / "prompts.safetensors", {"prompts": json.dumps(PROMPTS), "parsed": json.dumps(parsed)})


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
