"""python accept_sdxl_pictures.py WORK [filter…]: what else SDXL's family does, against diffusers.

Pictures drawn over another, with and without a mask, from the seed alone; and students that `likeness compress` makes of an SDXL shape,
which diffusers loads and draws with. Models of new sizes and weights, as in accept_sdxl.py.
"""

import shutil
import sys
from pathlib import Path

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import sdxl_models
from accept import Score, likeness, relative_error, wanted
from accept_sdxl import PROMPT, SHAPES, START, STEPS, latents
from make_image_goldens import photo
from make_sdxl_goldens import pipeline

NEGATIVE, SEED, LIMIT = "blurry painting", 42, 3e-3


def made(cls, folder: Path, scheduler: str):
    base = pipeline(folder)
    pipe = cls(**{**base.components, "scheduler": getattr(diffusers, scheduler).from_config(base.scheduler.config)}, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def over_pictures(score: Score, folder: Path, work: Path, name: str) -> None:
    image, mask = photo()
    image.save(work / "photo.png")
    mask.save(work / "mask.png")
    common = dict(negative_prompt=NEGATIVE, num_inference_steps=12, guidance_scale=5.0, output_type="latent")
    for scheduler, kind in (("ddim", "DDIMScheduler"), ("euler", "EulerDiscreteScheduler"), ("euler-a", "EulerAncestralDiscreteScheduler")):
        for strength, masked in ((0.6, False), (1.0, False), (0.7, True), (1.0, True)):
            what = f"{name} {'mask' if masked else 'image'} {strength} {scheduler}"
            generator = torch.Generator("cpu").manual_seed(SEED)
            if masked:
                pipe = made(diffusers.StableDiffusionXLInpaintPipeline, folder, kind)
                reference = pipe(PROMPT, image=image, mask_image=mask, height=64, width=64, strength=strength, generator=generator, **common).images
            else:
                pipe = made(diffusers.StableDiffusionXLImg2ImgPipeline, folder, kind)
                reference = pipe(PROMPT, image=image.resize((64, 64), Image.LANCZOS), strength=strength, generator=generator,
                                 **common).images
            end = work / "end.safetensors"
            outcome = likeness(
                "generate", "--model", folder, "--prompt", PROMPT, "--negative", NEGATIVE, "--steps", 12, "--guidance", 5, "--scheduler", scheduler,
                "--size", "64x64", "--seed", SEED, "--image", work / "photo.png", *(["--mask", work / "mask.png"] if masked else []),
                "--strength", strength, "--provider", "cpu", "--save-latents", end, "--out", work / "pictures")
            if score.ran(what, outcome):
                score.limit(what, relative_error(load_file(end)["latents"], reference), LIMIT)


def students(score: Score, work: Path, name: str) -> None:
    folder = work / "deep"  # as deep as the published one, which KOALA's students are cut from
    sdxl_models.write_folder(folder, sdxl_models.Shape(seed=46, depths=[0, 2, 10]))
    for kind in ("koala-1b", "koala-700m"):
        out = work / kind
        if not score.ran(f"{name} compress to {kind}", likeness("compress", "--model", folder, "--to", kind, "--provider", "cpu", "--out", out)):
            continue
        pipe = pipeline(out)
        stored = set(load_file(next((out / "unet").glob("*.safetensors"))))
        wanted_names = set(pipe.unet.state_dict())
        score.verdict(f"{name} {kind}: {len(stored)} tensors, missing {len(wanted_names - stored)}, unexpected {len(stored - wanted_names)}", stored == wanted_names)
        end = work / "end.safetensors"
        outcome = likeness("generate", "--model", out, "--prompt", PROMPT, "--steps", STEPS, "--guidance", 5, "--size", "64x80", "--provider", "cpu",
                           "--latents", work / "start.safetensors", "--save-latents", end, "--out", work / "pictures")
        if score.ran(f"{name} {kind} drawn", outcome):
            score.limit(f"{name} {kind} in diffusers", relative_error(load_file(end)["latents"], latents(pipe)), LIMIT)


if __name__ == "__main__":
    root, filters = Path(sys.argv[1]), sys.argv[2:]
    score = Score()
    for name in ("xl", "ssd"):
        if wanted(name, filters):
            work = root / name
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            save_file({"latents": START}, work / "start.safetensors")
            sdxl_models.write_folder(work / "model", SHAPES[name])
            with torch.no_grad():
                over_pictures(score, work / "model", work, name)
                if name == "xl":
                    students(score, work, name)
    score.finish()
