"""Rewrites ../fixtures/pipelines/clip-skip.safetensors: final latents of StableDiffusionPipeline with clip_skip, from seed 5 in 4 steps of DDIM.

Its clip_skip leaves the negative prompt all its layers. Needs transformers 4: diffusers 0.35 and later look for a module that transformers 5
no longer has.
"""

from pathlib import Path

import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
PROMPT, NEGATIVE = "a photo of sks dog in the snow", "blurry painting"

if __name__ == "__main__":
    pipe, out = pipeline(FIXTURES / "models" / "tiny-sd1", DDIMScheduler), {}
    for skip in (1, 2):
        for name, negative in (("plain", None), ("negative", NEGATIVE)):
            out[f"{skip}.{name}"] = pipe(
                PROMPT, negative_prompt=negative, clip_skip=skip, num_inference_steps=4, guidance_scale=6.0, height=64, width=64,
                generator=torch.Generator("cpu").manual_seed(5), output_type="latent").images
    save_file({name: latents.contiguous() for name, latents in out.items()}, FIXTURES / "pipelines" / "clip-skip.safetensors",
              {"prompt": PROMPT, "negative": NEGATIVE})
