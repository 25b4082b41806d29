"""Writes ../fixtures/checkpoints/embeddings/: textual inversions as three tools save them, and what diffusers makes of prompts.

python embeddings.py; needs torch, diffusers, transformers, safetensors. `contexts.safetensors` holds, for each prompt, what
StableDiffusionPipeline.encode_prompt gives with the files loaded by load_textual_inversion, and at each clip_skip without them.
"""

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

FIXTURES = Path(__file__).parents[1] / "fixtures"
HERE = FIXTURES / "checkpoints" / "embeddings"
MODEL = FIXTURES / "models" / "tiny-sd1"
PLAIN = ["a photo of a dog", "Dog, on the beach"]
WITH_WORDS = [
    "a photo of fluffy-cat on a beach",
    "a photo of <blue-cup> beside fluffy-cat",
    "<blue-cup>",
    "night-sky and a dog, night-sky",
]


def main() -> None:
    torch.manual_seed(11)
    HERE.mkdir(parents=True, exist_ok=True)
    pipe = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float32, safety_checker=None)
    # diffusers 0.42 asks for the name that transformers 5 has dropped; outside of torch's registry, so that nothing is there twice.
    object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    width = pipe.text_encoder.config.hidden_size
    vectors = {name: torch.randn(count, width) * 0.1 for name, count in [("fluffy-cat", 3), ("<blue-cup>", 1), ("night-sky", 2)]}
    # The web UI's, diffusers', and the one that has no word but its file's name.
    a1111 = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": torch.nn.Parameter(vectors["fluffy-cat"])},
        "name": "fluffy-cat",
        "step": 500,
        "sd_checkpoint": "0123abcd",
        "sd_checkpoint_name": "tiny",
    }
    torch.save(a1111, HERE / "web-ui.pt")
    save_file({"<blue-cup>": vectors["<blue-cup>"][0]}, HERE / "learned_embeds.safetensors")
    save_file({"emb_params": vectors["night-sky"].half()}, HERE / "night-sky.safetensors")

    contexts = {}
    for skip in (0, 1, 2):
        for i, prompt in enumerate(PLAIN):
            context, _ = pipe.encode_prompt(prompt, "cpu", 1, False, clip_skip=skip or None)
            contexts[f"skip.{skip}.{i}"] = context
    pipe.load_textual_inversion(HERE / "web-ui.pt")
    pipe.load_textual_inversion(HERE / "learned_embeds.safetensors")
    pipe.load_textual_inversion(HERE / "night-sky.safetensors", token="night-sky")
    for i, prompt in enumerate(WITH_WORDS):
        context, _ = pipe.encode_prompt(prompt, "cpu", 1, False)
        contexts[f"words.{i}"] = context
    save_file({name: value.detach().contiguous() for name, value in contexts.items()}, HERE / "contexts.safetensors")
    (HERE / "prompts.json").write_text(json.dumps({"skip": PLAIN, "words": WITH_WORDS}, indent=2) + "\n")


main()
