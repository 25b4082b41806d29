"""python compel_prompts.py: where compel's prompts and the web UI's mean the same: tokens, and the weight of each.

Each prompt is written by both rules; compel's own parser and tokenization say what it makes of its spelling. Writes
../fixtures/pipelines/compel.json: for each the prompt as we read it, compel's spelling, ids and weights of the tokens, and, of prompts
without weights, the first and last numbers of the context. Needs `pip install compel==2.5.1`.
"""

import json
from pathlib import Path

import torch
from compel import Compel
from compel.prompt_parser import Fragment

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
MODEL = "tiny-sd1"
PROMPTS = [  # by the web UI's rules, by compel's
    ("a photo of a dog", "a photo of a dog"),
    ("a small dog, with a red ball; in the snow", "a small dog, with a red ball; in the snow"),
    ("a (photo) of a dog", "a (photo)+ of a dog"),
    ("a ((red)) ball, (snow:1.4), a dog", "a (red)++ ball, (snow)1.4, a dog"),
    ("a (((house))) on a (hill:0.5)", "a (house)+++ on a (hill)0.5"),
    ("a (large (yellow:1.5) dog:1.2)", "a (large (yellow)1.5 dog)1.2"),
    ("(a dog in the (deep (white) snow):1.1)", "(a dog in the (deep (white)+ snow)+)1.1"),
    (r"a dog \(small\) in the (snow:1.3)", r"a dog \(small\) in the (snow)1.3"),
    ("a cat (the wet one:0.25)", "a cat (the wet one)0.25"),
    ("(a quick dog)", "(a quick dog)+"),
]


def main() -> None:
    pipe = pipeline(FIXTURES / "models" / MODEL)
    compel = Compel(pipe.tokenizer, pipe.text_encoder)
    cases = []
    for ours, theirs in PROMPTS:
        (flat,) = Compel.parse_prompt_string(theirs).prompts
        fragments = [part for part in flat.children if isinstance(part, Fragment)]
        tokens, weights, _ = compel.conditioning_provider.get_token_ids_and_expand_weights([f.text for f in fragments], [f.weight for f in fragments], "cpu")
        case = {"prompt": ours, "compel": theirs, "ids": tokens.tolist(), "weights": [round(w, 6) for w in weights.tolist()]}
        if all(f.weight == 1 for f in fragments):
            case["context"] = compel(theirs)[0, :3].flatten().tolist()
        cases.append(case)
    (FIXTURES / "pipelines" / "compel.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    for c in cases:
        print(c["prompt"], [w for w in c["weights"] if w != 1])


if __name__ == "__main__":
    with torch.no_grad():
        main()
