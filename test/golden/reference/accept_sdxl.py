"""python accept_sdxl.py WORK [filter…]: SDXL's family as single files, and exports of a LoRA run, in diffusers.

Models of new sizes and weights in every shape. A file in Stability's layout, made here, is drawn by both; a LoRA (convolutions and both text
encoders too) is trained and exported in every form, and diffusers loads each: names one to one, the same final latents.
"""

import shutil
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint, convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint, convert_open_clip_checkpoint,
)
from safetensors.torch import load_file, save_file

import sdxl_models
from accept import Score, likeness, relative_error, wanted
from ldm_names import xl_single_file
from make_sdxl_goldens import pipeline, record_of

PROMPT, STEPS, LIMIT = "a photo of sks dog in the snow", 6, 3e-3
START = torch.randn(1, 4, 10, 8, generator=torch.Generator().manual_seed(9))
SHAPES = {
    "xl": sdxl_models.Shape(seed=41), "ssd": sdxl_models.Shape(seed=42, depths=[1, [1, 2], [2, 1]], up_depths=[[3, 1, 2], [2, 1, 1], 1], mid="UNetMidBlock2D"),
    "vega": sdxl_models.Shape(seed=43, depths=[1, [1, 1], [2, 2]], up_depths=[[2, 2, 2], [1, 1, 1], 1], mid="UNetMidBlock2D"),
    "koala700": sdxl_models.Shape(seed=44, layers=1, depths=[0, 2, 3], mid=None), "koala1b": sdxl_models.Shape(seed=45, layers=1, depths=[0, 2, 4]),
}
sdxl_models.CHANNELS, sdxl_models.HEADS, sdxl_models.WIDTHS = (12, 24, 40), [1, 3, 5], (32, 48)
sdxl_models.PROJECTION, sdxl_models.SIZES = 28, 12


def latents(pipe, **more) -> torch.Tensor:
    return pipe(PROMPT, latents=START.clone(), num_inference_steps=STEPS, height=80, width=64, guidance_scale=5.0, output_type="latent", **more).images


def single_pipeline(file: Path, folder: Path):
    pipe = StableDiffusionXLPipeline.from_single_file(str(file), config=str(folder), torch_dtype=torch.float32, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = pipeline(folder).scheduler
    return pipe


class Family:
    def __init__(self, score: Score, work: Path, name: str):
        self.score, self.name, self.work = score, name, work / name
        shutil.rmtree(self.work, ignore_errors=True)
        self.folder = self.work / "model"
        self.modules = sdxl_models.write_folder(self.folder, SHAPES[name])
        save_file({"latents": START}, self.work / "start.safetensors")

    def ours(self, name: str, model, *options):
        end = self.work / "end.safetensors"
        outcome = likeness("generate", "--model", model, "--prompt", PROMPT, "--steps", STEPS, "--guidance", 5, "--size", "64x80", "--provider", "cpu",
                           "--latents", self.work / "start.safetensors", "--save-latents", end, "--out", self.work / "pictures", *options)
        return load_file(end)["latents"] if self.score.ran(f"{self.name} {name}", outcome) else None

    def same(self, name: str, ours, reference) -> None:
        if ours is not None and reference is not None:
            self.score.limit(f"{self.name} {name}", relative_error(ours, reference), LIMIT)

    def keys(self, name: str, got, expected) -> None:
        missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
        self.score.verdict(f"{self.name} {name}: {len(set(got))} keys, missing {len(missing)} {missing[:2]}, unexpected {len(extra)} {extra[:2]}", not missing and not extra)

    def outside_file(self) -> None:
        """Stability's layout, the configs in a folder of the file's name."""
        file = self.work / "outside" / "any name.safetensors"
        file.parent.mkdir()
        save_file({n: t.half() if t.is_floating_point() else t for n, t in xl_single_file(*self.modules).items()}, file)
        shutil.copytree(self.folder, file.with_suffix(""))
        self.same("outside single file", self.ours("outside single file", file), latents(single_pipeline(file, self.folder)))

    def single(self, file: Path, reference) -> None:
        found, base = load_file(file), pipeline(self.folder)
        bare = lambda module: {n.removeprefix("text_model.") for n in module.state_dict() if "position_ids" not in n}
        self.keys("single file U-Net", convert_ldm_unet_checkpoint(dict(found), dict(base.unet.config)), base.unet.state_dict())
        self.keys("single file VAE", convert_ldm_vae_checkpoint(dict(found), dict(base.vae.config)), base.vae.state_dict())
        for name, module, text in (("text encoder", base.text_encoder, convert_ldm_clip_checkpoint(dict(found), remove_prefix="conditioner.embedders.0.transformer.")),
                                   ("second text encoder", base.text_encoder_2, convert_open_clip_checkpoint(base.text_encoder_2, dict(found), "conditioner.embedders.1.model."))):
            self.keys(f"single file {name}", {n.removeprefix("text_model.") for n in text if "position_ids" not in n}, bare(module))
        prefixes = ("model.diffusion_model.", "first_stage_model.", "conditioner.embedders.")
        self.score.verdict(f"{self.name} single file: nothing else in it", all(n.startswith(prefixes) for n in found))
        for tokens in ("tokenizer", "tokenizer_2"):  # the published one would not fit so small a vocabulary
            shutil.copytree(self.folder / tokens, file.parent / tokens)
        self.same("single file in diffusers", latents(single_pipeline(file, self.folder)), reference)
        self.same("single file here", self.ours("single file here", file), reference)

    def lora(self, name: str, path: Path, modules: int, reference) -> None:
        pipe = pipeline(self.folder)
        pipe.load_lora_weights(str(path.parent if path.is_file() else path), **({"weight_name": path.name} if path.is_file() else {}))
        loaded = sum("lora_A" in n for m in (pipe.unet, pipe.text_encoder, pipe.text_encoder_2) for n, _ in m.named_parameters())
        self.score.verdict(f"{self.name} {name} in diffusers: {loaded} modules of {modules}", loaded == modules)
        self.same(f"{name} in diffusers", latents(pipe), reference)
        self.same(f"{name} here", self.ours(f"{name} here", self.folder, "--lora", path), reference)

    def exports(self) -> None:
        record, run = self.work / "replay.safetensors", self.work / "run"
        save_file(record_of(self.folder, 4, 2), record)
        targets = "to_q,to_k,to_v,to_out.0,proj_in,ff.net.0.proj,conv1,conv_shortcut"
        if not self.score.ran(f"{self.name} finetune", likeness(
                "finetune", "--model", self.folder, "--replay", record, "--steps", 4, "--lr", 1e-2, "--rank", 3, "--alpha", 5, "--targets", targets,
                "--text-targets", "q_proj,k_proj,v_proj,out_proj", "--provider", "cpu", "--out", run)):
            return
        reference = self.ours("--lora RUN", self.folder, "--lora", run)
        self.score.at_least(f"{self.name} the LoRA's effect", relative_error(self.ours("plain", self.folder), reference), 0.02)
        outs = {"single-file": "single.safetensors", "kohya": "kohya/lora.safetensors", "peft": "peft", "diffusers": "whole"}
        (self.work / "kohya").mkdir()
        for form, out in outs.items():
            if not self.score.ran(f"{self.name} export {form}", likeness("export", "--run", run, "--format", form, "--dtype", "f32", "--out", self.work / out)):
                return
        self.single(self.work / outs["single-file"], reference)
        modules = sum(n.endswith("lora_down.weight") for n in load_file(self.work / outs["kohya"]))
        self.lora("kohya file", self.work / outs["kohya"], modules, reference)
        self.lora("peft folder", self.work / outs["peft"], modules, reference)
        self.same("diffusers folder", latents(pipeline(self.work / "whole")), reference)


if __name__ == "__main__":
    work, filters = Path(sys.argv[1]), sys.argv[2:]
    score = Score()
    for name in SHAPES:
        if wanted(name, filters):
            family = Family(score, work, name)
            with torch.no_grad():
                family.outside_file()
                family.exports()
    score.finish()
