"""python accept_embedding.py WORK: a word that `finetune --method embedding` learnt and `export` wrote, in diffusers.

Latents of a picture whose prompt has the word: ours, drawn with the run, beside those of a pipeline that loaded the file.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from accept import Score, likeness, pipeline
from textual_inversion import FIXTURES, RATE, START, VECTORS, WORD

MODEL = FIXTURES / "models" / "tiny-sd1"
PROMPT = f"a photo of {WORD} {START}"


def main(work: Path) -> None:
    scores = Score()
    run, file = work / "run", work / "rex.safetensors"
    record = FIXTURES / "embedding" / "replay.safetensors"
    trained = likeness("finetune", "--model", MODEL, "--replay", record, "--method", "embedding", "--token", WORD, "--class", START,
                       "--vectors", VECTORS, "--steps", 20, "--lr", RATE, "--provider", "cpu", "--out", run)
    scores.ran("finetune", trained)
    scores.ran("export", likeness("export", "--run", run, "--format", "embedding", "--out", file))
    drawn = likeness("generate", "--model", MODEL, "--lora", run, "--prompt", PROMPT, "--seed", 3, "--steps", 5, "--scheduler", "ddim", "--guidance", 5,
                     "--base-guidance", 0, "--guidance-stop", 1, "--save-latents", work / "latents.safetensors", "--provider", "cpu", "--out", work / "pictures")
    scores.ran("generate", drawn)

    from diffusers import DDIMScheduler

    pipe = pipeline(MODEL)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    draw = lambda: pipe(PROMPT, num_inference_steps=5, guidance_scale=5,  # noqa: E731
                        generator=torch.Generator().manual_seed(3), output_type="latent").images
    without = draw()
    pipe.load_textual_inversion(str(file))
    theirs = draw()
    ours = load_file(work / "latents.safetensors")["latents"]
    scores.limit("latents with the word", ((ours - theirs).abs().max() / theirs.abs().max()).item(), 2e-3)
    scores.at_least("the word's effect", ((theirs - without).abs().max() / theirs.abs().max()).item(), 1e-2)
    scores.finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
