"""python accept_sdxl_pictures.py WORK [filter…]: what else SDXL's family does, against diffusers.

Pictures drawn over another, with and without a mask, from the seed alone; and students that `likeness compress` makes of an SDXL shape,
which diffusers loads and draws with, as compressed and after `likeness distill`. Models of new sizes and weights, as in accept_sdxl.py.
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
            compressed = latents(pipe)
            score.limit(f"{name} {kind} in diffusers", relative_error(load_file(end)["latents"], compressed), LIMIT)
            distilled(score, work, f"{name} {kind}", folder, out, compressed)


def distilled(score: Score, work: Path, name: str, teacher: Path, student: Path, before: torch.Tensor) -> None:
    """Three steps, exported as a folder: diffusers draws what we do, and not what the compressed one drew."""
    base, steps, batch = pipeline(teacher), 3, 2
    g = torch.Generator().manual_seed(6)
    shape = (steps, batch, 4, 8, 8)
    width = base.unet.config.projection_class_embeddings_input_dim - 6 * base.unet.config.addition_time_embed_dim
    save_file({
        "latents": torch.randn(shape, generator=g), "noise": torch.randn(shape, generator=g), "timesteps": torch.randint(0, 1000, shape[:2], generator=g),
        "context": torch.randn(steps, batch, 77, base.unet.config.cross_attention_dim, generator=g), "text_embeds": torch.randn(steps, batch, width, generator=g),
    }, work / "replay.safetensors")
    for folder in ("distilled", "model-of-it"):
        shutil.rmtree(work / folder, ignore_errors=True)
    run = likeness("distill", "--teacher", teacher, "--student", student, "--replay", work / "replay.safetensors", "--steps", steps, "--lr", 1e-2,
                   "--provider", "cpu", "--out", work / "distilled")
    export = likeness("export", "--run", work / "distilled", "--format", "diffusers", "--dtype", "f32", "--out", work / "model-of-it")
    if not score.ran(f"{name} distil", run) or not score.ran(f"{name} export", export):
        return
    pipe, end = pipeline(work / "model-of-it"), work / "end.safetensors"
    stored, names = set(load_file(next((work / "model-of-it" / "unet").glob("*.safetensors")))), set(pipe.unet.state_dict())
    score.verdict(f"{name} distilled: {len(stored)} tensors, missing {len(names - stored)}, unexpected {len(stored - names)}", stored == names)
    outcome = likeness("generate", "--model", work / "model-of-it", "--prompt", PROMPT, "--steps", STEPS, "--guidance", 5, "--size", "64x80", "--provider", "cpu",
                       "--latents", work / "start.safetensors", "--save-latents", end, "--out", work / "pictures")
    if score.ran(f"{name} distilled, drawn", outcome):
        wanted = latents(pipe)
        score.at_least(f"{name} what distilling changed", relative_error(before, wanted), 0.01)
        score.limit(f"{name} distilled, in diffusers", relative_error(load_file(end)["latents"], wanted), 2e-3)


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
