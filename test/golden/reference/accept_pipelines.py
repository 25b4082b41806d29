"""Latents and pictures against StableDiffusionPipeline: every family × sampler × step count, and PNGs from the seed."""

import numpy as np
import torch
from diffusers import (
    DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler, PNDMScheduler,
)
from PIL import Image
from safetensors.torch import load_file, save_file

from accept import Score, arguments, likeness, pipeline, relative_error, wanted

SAMPLERS = {
    "pndm": PNDMScheduler, "ddim": DDIMScheduler, "dpm++2m": DPMSolverMultistepScheduler,
    "euler": EulerDiscreteScheduler, "euler-a": EulerAncestralDiscreteScheduler, "ddpm": DDPMScheduler,
}
FAMILIES = ["sd1", "sd2-v", "sd2-base", "sd2-zero-snr", "bk-base", "bk-small", "bk-tiny", "segmind-tiny", "bk-tiny-sparse",
            "bk-small-euler"]
PROMPT, NEGATIVE = "a photo of sks dog in the snow, high quality", "blurry painting"


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR of two 8-bit pictures; 99 when they are equal."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def compare_latents(score, name, folder, work, steps, sampler, size=(64, 64), extra=(), **options):
    """One call with the same starting noise; `sampler` None is the folder's own."""
    width, height = size
    start = torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(steps))
    save_file({"latents": start}, work / "start.safetensors")
    pipe = pipeline(folder, SAMPLERS.get(sampler))
    negative, guidance = options.pop("negative", None), options.pop("guidance", 7.5)

    def diffusers(latents):
        return pipe(PROMPT, negative_prompt=negative, latents=latents, num_inference_steps=steps, height=height, width=width,
                    guidance_scale=guidance, output_type="latent").images

    reference = diffusers(start)
    outcome = likeness(
        "generate", "--model", options.pop("model", folder), "--prompt", PROMPT, "--steps", steps, "--guidance", "7.5",
        *(["--scheduler", sampler] if sampler else []), "--size", f"{width}x{height}", "--latents",
        work / "start.safetensors", "--save-latents", work / "end.safetensors", "--out", work / "pictures", *extra,
    )
    if score.ran(name, outcome):
        ours = load_file(work / "end.safetensors")["latents"]
        error = relative_error(ours, reference)
        # A sampler that clips (clip_sample, kept by from_config where the file is silent) on random weights can be chaotic: then
        # no result is closer to the reference than the reference is to itself, started a rounding error away.
        itself = relative_error(diffusers(start + 1e-6 * torch.randn_like(start)), reference) if error > 2e-3 else 0
        score.limit(f"{name} latents (the reference against itself: {itself:.2g})", error, max(2e-3, 3 * itself))


def compare_pictures(score, name, folder, work, sampler, size, seed=42, count=2):
    """From the seed alone: picture i is diffusers' with a generator seeded N+i."""
    width, height = size
    pipe = pipeline(folder, SAMPLERS[sampler])
    outcome = likeness(
        "generate", "--model", folder, "--prompt", PROMPT, "--negative", NEGATIVE, "--steps", 12, "--scheduler", sampler,
        "--size", f"{width}x{height}", "--seed", seed, "--count", count, "--batch", 2, "--out", work / "pictures",
    )
    if not score.ran(name, outcome):
        return
    images = outcome.events[-1]["images"]
    score.verdict(f"{name} seeds {[i['seed'] for i in images]}", [i["seed"] for i in images] == [seed + i for i in range(count)])
    for image in images:
        reference = pipe(
            PROMPT, negative_prompt=NEGATIVE, num_inference_steps=12, guidance_scale=7.5, height=height, width=width,
            generator=torch.Generator("cpu").manual_seed(image["seed"]),
        ).images[0]
        ours = np.asarray(Image.open(image["path"]).convert("RGB"))
        if ours.shape != np.asarray(reference).shape:
            score.verdict(f"{name} size {ours.shape}", False)
            continue
        score.at_least(f"{name} seed {image['seed']} dB (contrast {ours.std():.0f})", decibels(ours, np.asarray(reference)), 45)


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    for family in FAMILIES:
        for sampler in ("pndm", "ddim", "dpm++2m", "euler", None):
            for steps in (12, 25):
                name = f"{family} {sampler} {steps}"
                if wanted(name, filters):
                    compare_latents(score, name, models / family, work, steps, sampler)
        for sampler in ("ddim", "euler-a"):
            for size in ((64, 64), (96, 64), (64, 128)):
                name = f"{family} {sampler} png {size[0]}x{size[1]}"
                if wanted(name, filters):
                    compare_pictures(score, name, models / family, work, sampler, size)
        name = f"{family} ddpm png"
        if wanted(name, filters):
            compare_pictures(score, name, models / family, work, "ddpm", (64, 64))
    for stored in ("sd1-transformers5", "sd1-sharded", "sd1-bin", "sd1-single.safetensors", "sd1-single.ckpt", "sd2-v-single.safetensors"):
        name = f"stored {stored}"
        folder = models / ("sd2-v" if "sd2" in stored else "sd1")
        if wanted(name, filters):
            compare_latents(score, name, folder, work, 12, "ddim", model=models / stored)
    name = "options negative"
    if wanted(name, filters):
        compare_latents(score, name, models / "sd1", work, 12, "ddim", negative=NEGATIVE, extra=["--negative", NEGATIVE])
    score.finish()
