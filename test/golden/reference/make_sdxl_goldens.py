"""python make_sdxl_goldens.py: forward passes, gradients, pictures and LoRA steps of SDXL's family by diffusers, transformers and PEFT.

Writes the models, and ../fixtures/{forward,gradients,pipelines}/<model>.safetensors and ../fixtures/training/koala-lora/;
../fixtures/README.md says what each key is.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMScheduler, EulerAncestralDiscreteScheduler, StableDiffusionXLPipeline
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file

from accept_pipelines import NEGATIVE, PROMPT
from sdxl_models import SHAPES, encode, published, write_folder

HERE = Path(__file__).parent.parent / "fixtures"
LORA = {"unet": (["to_q", "to_v"], 4, 7), "text_encoder": (["q_proj", "v_proj"], 4, 6), "text_encoder_2": (["q_proj", "v_proj"], 4, 6)}
WHOLE = ("add_embedding.linear_1.weight", "add_embedding.linear_2.bias", "time_embedding.linear_2.bias", "text_projection.weight",
         "embeddings.position_embedding.weight", "final_layer_norm.weight", "attentions.1.transformer_blocks.0.attn1.to_q.weight")


def full_name(part: str, name: str) -> str:
    return f"{part}.{published(name) if part.startswith('text') else name}"


def single(tensors: dict) -> dict:
    return {n: (t.detach().float() if t.is_floating_point() else t.detach()).contiguous() for n, t in tensors.items()}


def batch_of(seed: int, vocabulary: int) -> dict:
    g = torch.Generator().manual_seed(100 + seed)
    ids = torch.randint(2, vocabulary - 2, (2, 77), generator=g)
    ids[:, 0], ids[0, 9:], ids[1, 30:] = vocabulary - 2, vocabulary - 1, vocabulary - 1
    second = ids.clone()
    second[0, 10:], second[1, 31:] = 0, 0
    return {
        "input_ids": torch.cat([ids, second], 1), "timesteps": torch.tensor([999, 37]),
        "latents": torch.randn(2, 4, 8, 8, generator=g), "noise": torch.randn(2, 4, 8, 8, generator=g),
        "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64], [80, 72, 8, 4, 64, 48]]),
    }


def predict(modules, b: dict):
    text, text2, unet, _ = modules
    context, pooled = encode(text, text2, b["input_ids"])
    added = {"text_embeds": pooled, "time_ids": b["time_ids"].double()}
    return context, pooled, unet(b["latents"].double(), b["timesteps"], context, added_cond_kwargs=added).sample


@torch.no_grad()
def forward(modules, b: dict) -> dict:
    unet, vae, features = modules[2], modules[3], {}
    blocks = [(f"{side}_blocks.{i}", block) for side in ("down", "up") for i, block in enumerate(getattr(unet, f"{side}_blocks"))]
    blocks += [("mid_block", unet.mid_block)] if unet.mid_block is not None else []
    hooks = [m.register_forward_hook(lambda _, __, out, name=name: features.update({f"unet.{name}": out[0] if isinstance(out, tuple) else out}))
             for name, m in blocks]
    context, pooled, sample = predict(modules, b)
    for hook in hooks:
        hook.remove()
    return {**b, "context": context, "pooled": pooled, "unet.sample": sample, **features,
            "vae.decoded": vae.decode(b["latents"].double()).sample}


def gradients(modules, b: dict) -> dict:
    named = {full_name(part, n): p for part, m in zip(("text_encoder", "text_encoder_2", "unet"), modules) for n, p in m.named_parameters()}
    loss = F.mse_loss(predict(modules, b)[2], b["noise"].double())
    loss.backward()
    used = {n: p.grad for n, p in named.items() if p.grad is not None}
    return {"loss": loss, **{f"grad.{n}": g for n, g in used.items() if n.endswith(WHOLE)}, **{f"norm.{n}": g.norm() for n, g in used.items()}}


def pipeline(folder: Path, scheduler=None) -> StableDiffusionXLPipeline:
    pipe = StableDiffusionXLPipeline.from_pretrained(folder, torch_dtype=torch.float32, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    if scheduler:
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    return pipe


def pictures(folder: Path) -> dict:
    start = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(3))
    how = dict(num_inference_steps=12, height=48, width=64, guidance_scale=5.0)
    out = {"start": start}
    for name, scheduler in {"euler": None, "ddim": DDIMScheduler}.items():
        for negative in (None, NEGATIVE):
            images = pipeline(folder, scheduler)(PROMPT, negative_prompt=negative, latents=start, output_type="latent", **how).images
            out[f"{name}.{'negative' if negative else 'plain'}.latents"] = images
    picture = pipeline(folder, EulerAncestralDiscreteScheduler)(PROMPT, generator=torch.Generator("cpu").manual_seed(42), **how).images[0]
    return {**out, "euler-a.picture": torch.from_numpy(np.array(picture))}


def record_of(folder: Path, steps: int, batch: int) -> dict:
    g = torch.Generator().manual_seed(1)
    pipe = pipeline(folder)
    ids = [t(["a photo of sks dog in the snow"], padding="max_length", max_length=77, return_tensors="pt").input_ids
           for t in (pipe.tokenizer, pipe.tokenizer_2)]
    return {
        "latents": torch.randn(steps, batch, 4, 8, 8, generator=g), "noise": torch.randn(steps, batch, 4, 8, 8, generator=g),
        "timesteps": torch.randint(0, 1000, (steps, batch), generator=g),
        "input_ids": torch.cat(ids, 1).expand(steps, batch, 154).contiguous(),
        "time_ids": torch.tensor([64.0, 64, 0, 0, 64, 64]) + torch.randint(0, 9, (steps, batch, 6), generator=g),
    }


def train(folder: Path, record: dict, start: Path, lr: float):
    """The loss and step of diffusers' train_dreambooth_lora_sdxl.py (and its --train_text_encoder), in float64."""
    pipe = pipeline(folder)
    scheduler = DDPMScheduler.from_config(pipe.scheduler.config)
    modules = {part: PeftModel.from_pretrained(getattr(pipe, part), start / part, is_trainable=True).double().train() for part in LORA}
    trained = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses = []
    for row in range(len(record["latents"])):
        latents, noise, timesteps, ids, sizes = (record[k][row] for k in ("latents", "noise", "timesteps", "input_ids", "time_ids"))
        noisy = scheduler.add_noise(latents.double(), noise.double(), timesteps)
        context, pooled = encode(modules["text_encoder"], modules["text_encoder_2"], ids)
        added = {"text_embeds": pooled, "time_ids": sizes.double()}
        loss = F.mse_loss(modules["unet"](noisy, timesteps, context, added_cond_kwargs=added).sample, noise.double())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    after = {full_name(part, n.removeprefix("base_model.model.")): t for part, m in modules.items() for n, t in get_peft_model_state_dict(m).items()}
    return losses, after


def training(folder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    record = record_of(folder, 10, 2)
    save_file(record, out / "replay.safetensors")
    torch.manual_seed(5)  # the last layer of the first text encoder is not used, so it has no adapters
    for part, (targets, rank, alpha) in LORA.items():
        get_peft_model(getattr(pipeline(folder), part), LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, **({"layers_to_transform": [0]} if part == "text_encoder" else {}))).save_pretrained(out / "start" / part)
        (out / "start" / part / "README.md").unlink(missing_ok=True)
    losses, after = train(folder, record, out / "start", 1e-3)
    save_file({"losses": torch.tensor(losses), **single(after)}, out / "expected.safetensors", {"lr": "0.001", "model": folder.name})
    print("training", [round(v, 4) for v in losses])


if __name__ == "__main__":
    for name, shape in SHAPES.items():
        folder = HERE / "models" / name
        modules = [m.double() for m in write_folder(folder, shape)]
        b = batch_of(shape.seed, modules[0].config.vocab_size)
        save_file(single(forward(modules, b)), HERE / "forward" / f"{name}.safetensors")
        if name in ("tiny-ssd", "tiny-koala"):
            save_file(single({**b, **gradients(modules, b)}), HERE / "gradients" / f"{name}.safetensors")
        save_file(pictures(folder), HERE / "pipelines" / f"{name}.safetensors", {"prompt": PROMPT, "negative": NEGATIVE, "seed": "42"})
        print(name, sum(p.numel() for p in modules[2].parameters()))
    training(HERE / "models" / "tiny-koala", HERE / "training" / "koala-lora")
