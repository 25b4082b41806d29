"""Exports of a short LoRA run in diffusers, PEFT, a kohya-style loader and onnxruntime; LoRAs from outside in `generate`.

The same prompt and starting noise everywhere; final latents are compared, and keys must match one to one.
"""

import shutil

import numpy as np
import onnxruntime
import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from accept import Score, arguments, likeness, pipeline, relative_error, wanted
from ldm_names import single_file
from lora_files import merge_kohya, merge_peft
from torch_training import make_replay, published, read_tensors

PROMPT, STEPS, LIMIT = "a photo of sks dog", 8, 3e-3
START = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(9))


def latents(pipe) -> torch.Tensor:
    return pipe(PROMPT, latents=START.clone(), num_inference_steps=STEPS, height=64, width=64, guidance_scale=7.5,
                output_type="latent").images


class Exports:
    def __init__(self, score, models, work, model: str):
        self.score, self.model, self.folder, self.work = score, model, models / model, work / model
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.run = self.work / "run"
        save_file({"latents": START}, self.work / "start.safetensors")

    def ours(self, name: str, *options, model=None):
        """`likeness generate`'s final latents, or None (recorded as a failure)."""
        file = self.work / "end.safetensors"
        outcome = likeness(
            "generate", "--model", model or self.folder, "--prompt", PROMPT, "--steps", STEPS, "--guidance", 7.5, "--size",
            "64x64", "--latents", self.work / "start.safetensors", "--save-latents", file, "--out",
            self.work / "pictures", *options,
        )
        return load_file(file)["latents"] if self.score.ran(f"{self.model} {name}", outcome) else None

    def same(self, name: str, ours, reference) -> None:
        if ours is not None:
            self.score.limit(f"{self.model} {name}", relative_error(ours, reference), LIMIT)

    def keys(self, name: str, got, expected) -> None:
        missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
        self.score.verdict(
            f"{self.model} {name}: {len(set(got))} keys, missing {len(missing)} {missing[:2]}, unexpected {len(extra)} {extra[:2]}",
            not missing and not extra,
        )

    def export(self, form: str, *options, name=None):
        out = self.work / (name or form)
        outcome = likeness("export", "--run", self.run, "--format", form, "--dtype", "f32", "--out", out, *options)
        return out if self.score.ran(f"{self.model} export {form}", outcome) else None

    def train(self, *options) -> bool:
        replay = self.work / "replay.safetensors"
        make_replay(self.folder, replay, 6, 2, True, seed=3)
        outcome = likeness("finetune", "--model", self.folder, "--replay", replay, "--method", "lora", "--steps", 6,
                           "--lr", 1e-2, "--out", self.run, *options)
        return self.score.ran(f"{self.model} finetune", outcome)

    def peft(self, reference) -> None:
        folder = self.export("peft", "--transformers", "5", name="peft5")
        if folder is None:
            return
        pipe = pipeline(self.folder)
        for part in ("unet", "text_encoder"):
            model = PeftModel.from_pretrained(getattr(pipe, part), folder / part)
            self.keys(f"peft {part}", load_file(folder / part / "adapter_model.safetensors"), get_peft_model_state_dict(model))
            setattr(pipe, part, model.merge_and_unload())
        self.same("peft latents", reference, latents(pipe))
        older = self.export("peft", "--transformers", "4", name="peft4")
        if older is not None:
            names = load_file(older / "text_encoder" / "adapter_model.safetensors")
            self.score.verdict(f"{self.model} peft 4 names", all(".model.text_model.encoder." in n for n in names))
            five = load_file(folder / "text_encoder" / "adapter_model.safetensors")
            self.keys("peft 4 against 5", [n.replace("text_model.", "") for n in names], five)
        for name in ("peft5", "peft4"):
            self.same(f"generate --lora {name}", self.ours(f"--lora {name}", "--lora", self.work / name), reference)

    def kohya(self, reference, in_diffusers: bool) -> None:
        out = self.export("kohya", name="kohya/lora.safetensors")
        if out is None:
            return
        file = out if out.is_file() else next(out.glob("*.safetensors"))
        pipe = pipeline(self.folder)
        unmatched = merge_kohya(file, pipe.unet, pipe.text_encoder)
        self.score.verdict(f"{self.model} kohya unmatched keys {len(unmatched)} {unmatched[:2]}", not unmatched)
        self.same("kohya latents", reference, latents(pipe))
        self.same("generate --lora kohya", self.ours("--lora kohya", "--lora", file), reference)
        if in_diffusers:
            pipe = pipeline(self.folder)
            pipe.load_lora_weights(str(file.parent), weight_name=file.name)
            self.same("kohya file in diffusers", reference, latents(pipe))

    def diffusers(self, reference) -> None:
        folder = self.export("diffusers")
        if folder is None:
            return
        pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        self.same("diffusers folder", reference, latents(pipe))
        base = pipeline(self.folder)
        for part in ("unet", "vae", "text_encoder"):
            expected = [published(part, n) for n in getattr(base, part).state_dict()]
            self.keys(f"diffusers {part}", read_tensors(folder / part), [n for n in expected if "position_ids" not in n])
        self.same("generate --model exported", self.ours("--model exported", model=folder), reference)

    def single(self, reference) -> None:
        out = self.export("single-file", name="single.safetensors")
        if out is None:
            return
        file = out if out.is_file() else next(out.glob("*.safetensors"))
        pipe = StableDiffusionPipeline.from_single_file(str(file), config=str(self.folder), torch_dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        pipe.scheduler = pipeline(self.folder).scheduler
        self.same("single file", reference, latents(pipe))
        base = pipeline(self.folder)
        extras = ("position_ids", "betas", "alphas_cumprod", "model_ema", "logit_scale", "text_projection")
        expected = [n for n in single_file(base.text_encoder, base.unet, base.vae) if not any(e in n for e in extras)]
        self.keys("single file", [n for n in load_file(file) if not any(e in n for e in extras)], expected)

    def onnx(self) -> None:
        folder = self.export("onnx")
        merged = self.work / "diffusers"
        if folder is None or not merged.exists():
            return
        pipe = pipeline(merged)
        ids = pipe.tokenizer(PROMPT, padding="max_length", max_length=77, return_tensors="pt").input_ids
        with torch.no_grad():
            context = pipe.text_encoder(ids)[0]
            image = torch.rand(1, 3, 64, 64) * 2 - 1
            posterior = pipe.vae.encode(image).latent_dist
            cases = {
                "text": ([ids], context),
                "unet": ([START, context, torch.tensor([500])], pipe.unet(START, 500, context).sample),
                "decoder": ([START], pipe.vae.decode(START).sample),
                "encoder": ([image], torch.cat([posterior.mean, posterior.logvar], 1)),
            }
        files = sorted(folder.rglob("*.onnx"))
        print("     onnx files", [str(f.relative_to(folder)) for f in files])
        for part, (feeds, expected) in cases.items():
            found = [f for f in files if part in str(f.relative_to(folder))]
            found = [f for f in found if part != "encoder" or "vae" in str(f)]
            if not found:
                self.score.verdict(f"{self.model} onnx: no {part}", False)
                continue
            session = onnxruntime.InferenceSession(found[0], providers=["CPUExecutionProvider"])
            inputs = {}
            order = ["sample", "encoder_hidden_states", "timestep"] if part == "unet" else []
            known = {i.name: i for i in session.get_inputs()}
            for i, value in zip([known[n] for n in order] or known.values(), feeds):
                kind = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float16)": np.float16}.get(i.type, np.float32)
                inputs[i.name] = value.numpy().astype(kind).reshape(() if i.shape == [] else value.shape)
            outputs = [torch.from_numpy(o).float() for o in session.run(None, inputs)]
            ours = torch.cat(outputs[:2], 1) if part == "encoder" and len(outputs) > 1 else outputs[0]
            self.same(f"onnx {part} {[(i.name, i.shape, i.type) for i in session.get_inputs()]}", ours, expected)

    def outside(self) -> None:
        """LoRAs that other tools made: diffusers' own file, convolutions, another rank; weights and mixtures."""
        g = torch.Generator().manual_seed(4)
        folders = []
        for index, targets in enumerate((["to_q", "to_k", "to_v", "to_out.0"], ["conv1", "proj_in", "ff.net.0.proj", "to_v"])):
            pipe, folder = pipeline(self.folder), self.work / f"outside{index}"
            parts = {"unet": (pipe.unet, targets), "text_encoder": (pipe.text_encoder, ["k_proj", "out_proj", "fc1"])}
            for part, (module, names) in parts.items():
                model = get_peft_model(module, LoraConfig(r=4 + index, lora_alpha=6, target_modules=names))
                for n, p in model.named_parameters():
                    if "lora_" in n:
                        p.data = 0.15 * torch.randn(p.shape, generator=g)
                model.save_pretrained(folder / part)
            folders.append(folder)
        for index, mix in enumerate(([1.0, 0], [0, 1.0], [0.5, 0], [0.7, -0.4])):
            pipe = pipeline(self.folder)
            options = []
            for folder, weight in zip(folders, mix):
                if weight:
                    merge_peft(folder, pipe.unet, pipe.text_encoder, weight)
                    options += ["--lora", f"{folder}:{weight:g}"]
            reference = latents(pipe)
            self.same(f"LoRAs from PEFT, weights {mix}", self.ours("--lora outside", *options), reference)
        pipe = pipeline(self.folder)
        pipe.unet = get_peft_model(pipe.unet, LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_v"], init_lora_weights=False))
        state = get_peft_model_state_dict(pipe.unet)
        StableDiffusionPipeline.save_lora_weights(self.work / "saved", unet_lora_layers={k.replace("base_model.model.", ""): v for k, v in state.items()})
        fresh = pipeline(self.folder)
        fresh.load_lora_weights(str(self.work / "saved"))
        file = next((self.work / "saved").glob("*.safetensors"))
        self.same("diffusers' own LoRA file", self.ours("--lora saved", "--lora", file), latents(fresh))

    def all(self, filters) -> None:
        if wanted("outside", filters):
            self.outside()
        if filters == ["outside"] or not self.train():
            return
        reference = self.ours("--lora RUN", "--lora", self.run)
        if reference is None:
            return
        plain = self.ours("plain")
        if plain is not None:
            self.score.at_least(f"{self.model} the LoRA's effect", relative_error(reference, plain), 0.02)
        self.peft(reference)
        self.kohya(reference, in_diffusers=False)
        self.diffusers(reference)
        if "single" not in self.model and self.model not in ("bk-tiny", "segmind-tiny", "bk-small"):
            self.single(reference)
        self.onnx()
        shutil.rmtree(self.run)
        if self.train("--text-targets", "q_proj,k_proj,v_proj,out_proj"):
            shutil.rmtree(self.work / "kohya", ignore_errors=True)
            self.kohya(self.ours("--lora RUN, wider text", "--lora", self.run), in_diffusers=True)


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    names = [f for f in filters if (models / f).exists()] or ["sd1", "sd2-v", "bk-base", "bk-tiny", "segmind-tiny"]
    for name in names:
        Exports(score, models, work, name).all([f for f in filters if f not in names])
    score.finish()
