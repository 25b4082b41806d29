"""Default exports of default LoRA runs, in the tools that people load them with: 0 missing keys, 0 unexpected, the same picture.

python accept_tools.py MODELS WORK [filter…]. Loads with this Python's diffusers, PEFT and transformers; run it again with transformers 4
(`transformers==4.57.3 peft==0.18.0 diffusers==0.35.2`), which then asks for the folder of `--transformers 4` too. `KOHYA=DIR` is a checkout of
kohya's sd-scripts, whose own loader is run. The web UI's and ComfyUI's tables of names are written down here by their rules
(`convert_diffusers_name_to_compvis`, `model_lora_keys_unet`): both find a module by its name in single files. The shipped model, a folder
`likeness-mini` among MODELS, has no middle block, which single files can't say.
"""

import json
import logging
import os
import re
import shutil
import sys

import torch
import transformers
from diffusers import StableDiffusionPipeline
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from accept import ROOT, Score, arguments, likeness, pipeline, relative_error
from ldm_names import single_file
from lora_files import merge_kohya
from torch_training import make_replay

PROMPT, STEPS, LIMIT = "a photo of sks dog", 4, 1e-3
SHIPPED = "likeness-mini"
SAMPLES = ROOT / "resources/sample-subject"
VERSION = transformers.__version__.split(".")[0]


class Heard(logging.Handler):
    """Warnings of the loaders: a key that is left out is only warned of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []
        for name in ("diffusers", "transformers", "peft"):
            logging.getLogger(name).addHandler(self)
            logging.getLogger(name).setLevel(logging.WARNING)

    def emit(self, record):
        text = record.getMessage()
        if re.search(r"missing|unexpected|not (found|used|initialized)|newly|No LoRA keys", text, re.I):
            self.lines.append(text[:200])


def start(model) -> torch.Tensor:
    channels = json.loads((model / "unet/config.json").read_text())["in_channels"]
    return torch.randn(1, channels, 8, 8, generator=torch.Generator().manual_seed(9))


def latents(pipe, begin) -> torch.Tensor:
    pipe.set_progress_bar_config(disable=True)
    return pipe(PROMPT, latents=begin.clone(), num_inference_steps=STEPS, height=64, width=64, guidance_scale=7.5,
                output_type="latent").images


def webui_name(key: str, sd2: bool, resnets: int = 2) -> str:
    """Where the web UI looks for a module of a kohya file. It counts on two resnets a level, so smaller models have no place there."""
    inner = {"conv1": "in_layers_2", "conv2": "out_layers_3", "time_emb_proj": "emb_layers_1", "conv_shortcut": "skip_connection"}
    row = resnets + 1
    if m := re.fullmatch(r"lora_unet_down_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)", key):
        return f"diffusion_model_input_blocks_{1 + int(m[1]) * row + int(m[3])}_{int(m[2] == 'attentions')}_{inner.get(m[4], m[4]) if m[2] == 'resnets' else m[4]}"
    if m := re.fullmatch(r"lora_unet_up_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)", key):
        return f"diffusion_model_output_blocks_{int(m[1]) * row + int(m[3])}_{int(m[2] == 'attentions')}_{inner.get(m[4], m[4]) if m[2] == 'resnets' else m[4]}"
    if m := re.fullmatch(r"lora_unet_mid_block_(attentions|resnets)_(\d+)_(.+)", key):
        return f"diffusion_model_middle_block_{1 if m[1] == 'attentions' else 2 * int(m[2])}_{inner.get(m[3], m[3]) if m[1] == 'resnets' else m[3]}"
    if m := re.fullmatch(r"lora_te_text_model_encoder_layers_(\d+)_(.+)", key):
        if sd2:
            name = m[2].replace("mlp_fc1", "mlp_c_fc").replace("mlp_fc2", "mlp_c_proj").replace("self_attn", "attn")
            return f"model_transformer_resblocks_{m[1]}_{re.sub('_[qkv]_proj$', '', name)}"
        return f"transformer_text_model_encoder_layers_{m[1]}_{m[2]}"
    return key


class Tools:
    def __init__(self, score, models, work, model):
        self.score, self.name, self.folder, self.work = score, model, models / model, work / model
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.heard = Heard()
        self.start = start(self.folder)

    def say(self, what: str, missing, unexpected) -> None:
        missing, unexpected = sorted(missing), sorted(unexpected)
        self.score.verdict(f"{self.name} {what}: missing {len(missing)} {missing[:2]}, unexpected {len(unexpected)} {unexpected[:2]}",
                           not missing and not unexpected)

    def loaded(self, what: str, load, draws=True) -> None:
        """The pipeline that `load` gives warns of nothing and draws what the run does."""
        self.heard.lines.clear()
        try:
            pipe = load()
            got = latents(pipe, self.start) if draws else None
        except Exception as error:  # noqa: BLE001
            self.score.verdict(f"{self.name} {what}: {type(error).__name__}: {str(error)[:300]}", False)
            return
        self.score.verdict(f"{self.name} {what}: loaders warn of {self.heard.lines[:2]}", not self.heard.lines)
        if draws:
            self.score.limit(f"{self.name} {what}, latents", relative_error(got, self.reference), LIMIT)

    def train(self) -> bool:
        replay, end = self.work / "replay.safetensors", self.work / "end.safetensors"
        save_file({"latents": self.start}, self.work / "start.safetensors")
        if self.name == SHIPPED:
            learns = ["--photos", SAMPLES, "--class", "dog", "--no-prior"]
        else:
            make_replay(self.folder, replay, 6, 2, True, seed=3)
            learns = ["--replay", replay]
        run = likeness("finetune", "--model", self.folder, *learns, "--steps", 6, "--lr", 1e-2, "--out", self.work / "run")
        draw = likeness("generate", "--model", self.folder, "--lora", self.work / "run", "--prompt", PROMPT, "--steps", STEPS, "--guidance", 7.5, "--base-guidance", 0,
                        "--guidance-stop", 1, "--size", "64x64", "--latents", self.work / "start.safetensors", "--save-latents", end, "--out", self.work / "pictures")
        if not (self.score.ran(f"{self.name} finetune", run) and self.score.ran(f"{self.name} generate", draw)):
            return False
        self.reference = load_file(end)["latents"]
        return True

    def export(self, form: str, out: str, *options):
        path = self.work / out
        return path if self.score.ran(f"{self.name} export {form}", likeness("export", "--run", self.work / "run", "--format", form, "--out", path, *options)) else None

    def diffusers(self) -> None:
        if folder := self.export("diffusers", "diffusers"):
            self.loaded("from_pretrained", lambda: pipeline(folder))
            plain = pipeline(self.folder)
            for part in ("unet", "vae", "text_encoder"):
                file = next((folder / part).glob("*.safetensors"))
                _, info = type(getattr(plain, part)).from_pretrained(folder / part, output_loading_info=True)
                self.say(f"from_pretrained {part} of {len(load_file(file))}", info["missing_keys"], info["unexpected_keys"])

    def single(self) -> None:
        if not (file := self.export("single-file", "single.safetensors")):
            return
        plain = pipeline(self.folder)

        def load():
            pipe = StableDiffusionPipeline.from_single_file(str(file), config=str(self.folder), torch_dtype=torch.float32)
            pipe.scheduler = plain.scheduler
            return pipe

        # diffusers' converter for single files expects a mid block and an innermost level without attention.
        if not self.name.startswith(("bk-small", "bk-tiny", "segmind")):
            self.loaded("from_single_file", load)
        if VERSION == "4":  # ldm_names.py has transformers 5's names
            return
        extras = ("position_ids", "betas", "alphas_cumprod", "model_ema", "logit_scale", "text_projection")
        names = lambda all: {n for n in all if not any(e in n for e in extras)}  # noqa: E731
        own, wanted = names(load_file(file)), names(single_file(plain.text_encoder, plain.unet, plain.vae))
        self.say(f"single file's names of {len(own)}", wanted - own, own - wanted)

    def peft(self) -> None:
        if folder := self.export("peft", "peft"):
            self.loaded("load_lora_weights on the PEFT folder", lambda: self.with_lora(folder))
            if VERSION == "5":
                self.peft_model("PEFT", folder)
        if VERSION == "4" and (folder := self.export("peft", "peft4", "--transformers", "4")):
            self.peft_model("PEFT --transformers 4", folder)

    def with_lora(self, path, **options):
        pipe = pipeline(self.folder)
        pipe.load_lora_weights(str(path), **options)
        return pipe

    def peft_model(self, what: str, folder) -> None:
        def load():
            pipe = pipeline(self.folder)
            for part in ("unet", "text_encoder"):
                model = PeftModel.from_pretrained(getattr(pipe, part), folder / part)
                stored, has = set(load_file(folder / part / "adapter_model.safetensors")), set(get_peft_model_state_dict(model))
                self.say(f"{what} {part} of {len(stored)}", has - stored, stored - has)
                setattr(pipe, part, model.merge_and_unload())
            return pipe

        self.loaded(f"{what} with transformers {transformers.__version__}", load)

    def kohya(self) -> None:
        if not (file := self.export("kohya", "kohya/lora.safetensors")):
            return
        self.loaded("load_lora_weights on the kohya file", lambda: self.with_lora(file.parent, weight_name=file.name))
        state, plain = load_file(file), pipeline(self.folder)
        self.say("kohya's names", [], merge_kohya(file, plain.unet, plain.text_encoder))
        self.score.limit(f"{self.name} kohya's arithmetic, latents", relative_error(latents(plain, self.start), self.reference), LIMIT)
        if os.environ.get("KOHYA"):
            self.kohya_loader(file, state)
        if VERSION == "4" or self.name == SHIPPED:
            return
        modules = {n[: -len(".weight")] for n in single_file(plain.text_encoder, plain.unet, plain.vae) if n.endswith(".weight")}
        prefixes = ("model.", "cond_stage_model.")
        table = {m[len(p) :].replace(".", "_") for m in modules for p in prefixes if m.startswith(p)}
        table |= {m.removesuffix("_out_proj") for m in table}  # the joint attention itself
        sd2 = any("resblocks" in m for m in modules)
        resnets = plain.unet.config.layers_per_block
        stems = {k.split(".")[0] for k in state}
        names = {k: webui_name(k, sd2, resnets) for k in stems}
        ui = "ComfyUI's names" if resnets != 2 else "web UI's and ComfyUI's names"
        self.say(f"{ui} of {len(stems)}", [], [k for k, n in names.items() if n not in table])
        self.say("endings that they read", [], [k for k in state if k.split(".", 1)[1] not in ("lora_down.weight", "lora_up.weight", "alpha")])

    def kohya_loader(self, file, state) -> None:
        sys.path.insert(0, os.environ["KOHYA"])
        from networks.lora import create_network_from_weights

        pipe = pipeline(self.folder)
        network, weights = create_network_from_weights(1.0, str(file), pipe.vae, pipe.text_encoder, pipe.unet)
        network.apply_to(pipe.text_encoder, pipe.unet, apply_text_encoder=True, apply_unet=True)
        info = network.load_state_dict(weights, strict=False)
        # transformers 5 leaves "text_model" out of its modules' names; kohya's trainer uses transformers 4.
        text = [k for k in info.unexpected_keys if k.startswith("lora_te")] if VERSION == "5" else []
        self.say(f"kohya's own loader of {len(state)}", info.missing_keys, set(info.unexpected_keys) - set(text))
        if not text:
            self.score.limit(f"{self.name} kohya's own loader, latents", relative_error(latents(pipe, self.start), self.reference), LIMIT)

    def all(self) -> None:
        if self.train():
            self.diffusers()
            if self.name != SHIPPED:
                self.single()
            self.peft()
            self.kohya()


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    for name in [f for f in filters if (models / f).exists()] or ["sd1", "sd2-v", "sd2-base", "bk-base", "bk-small", "bk-tiny"]:
        Tools(score, models, work, name).all()
    score.finish()
