"""DreamBooth training on recorded batches in torch and PEFT: the reference for `likeness finetune --replay`."""

from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from diffusers.training_utils import EMAModel, compute_snr
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from accept import pipeline

TARGETS = {"unet": (["to_q", "to_v"], 16, 27), "text_encoder": (["q_proj", "v_proj"], 16, 17)}


def make_replay(model: Path, file: Path, steps: int, batch: int, prior: bool, seed: int, size: int = 16, inpaint: bool = False) -> dict:
    """Random latents (of unit size, as scaled ones are; 16² leaves the mid block more than one token), noise, timesteps and token ids; saved with cli.md's keys."""
    g = torch.Generator().manual_seed(seed)
    tokenizer = pipeline(model).tokenizer
    words = ["a photo of sks dog", "a photo of a dog"] if prior else ["a photo of sks dog in the snow"]
    ids = tokenizer(words, padding="max_length", max_length=77, return_tensors="pt").input_ids
    ids = ids.repeat_interleave(batch // 2, 0) if prior else ids.expand(batch, 77)
    latents = torch.randn(steps, batch, 4, size, size, generator=g)
    record = {
        "latents": 0.8 * latents + 0.6 * latents.mean(0, keepdim=True) * steps**0.5,
        "noise": torch.randn(latents.shape, generator=g),
        "timesteps": torch.randint(0, 1000, (steps, batch), generator=g),
        "input_ids": ids.expand(steps, batch, 77).contiguous(),
    }
    if inpaint:  # as train_dreambooth_inpaint.py joins them: the mask, then the masked picture's latents
        mask = torch.zeros(steps, batch, 1, size, size)
        mask[..., size // 4:, : size // 2] = 1
        record["beside"] = torch.cat([mask, 0.8 * torch.randn(latents.shape, generator=g)], dim=2)
    save_file(record, file, {"prior": "true"} if prior else {})
    return record


def widened(unet):
    """The U-Net as one for inpainting: five more input channels, whose weights are 0.1 · sin of their number."""
    old = unet.conv_in
    new = torch.nn.Conv2d(9, old.out_channels, 3, padding=1)
    extra = 0.1 * torch.arange(old.out_channels * 5 * 9, dtype=torch.float64).sin().float().reshape(old.out_channels, 5, 3, 3)
    new.weight = torch.nn.Parameter(torch.cat([old.weight.detach(), extra], dim=1))
    new.bias = old.bias
    unet.conv_in = new
    return unet


KINDS = {  # what each method is configured with, for modules, rank and alpha
    "lora": lambda targets, rank, alpha: LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets),
    "dora": lambda targets, rank, alpha: LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, use_dora=True),
    "loha": lambda targets, rank, alpha: LoHaConfig(r=rank, alpha=alpha, target_modules=targets),
    "lokr": lambda targets, rank, alpha: LoKrConfig(r=rank, alpha=alpha, target_modules=targets),
    "locon": lambda targets, rank, alpha: LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets),
}
KIN_TARGETS = {"unet": (["to_q", "proj", "conv1", "conv_shortcut"], 2, 5), "text_encoder": (["q_proj", "fc1"], 2, 3)}


def write_lora_start(model: Path, folder: Path, seed: int, kind: str = "lora") -> None:
    """A PEFT folder as PEFT makes it: one matrix zero (LoRA's B), the others Kaiming-uniform."""
    torch.manual_seed(seed)
    pipe = pipeline(model)
    for part, (targets, rank, alpha) in (TARGETS if kind == "lora" else KIN_TARGETS).items():
        config = KINDS[kind](targets, rank, alpha)
        module = getattr(pipe, part)
        # PEFT would write this machine's path.
        module.name_or_path = model.name
        get_peft_model(module, config).save_pretrained(folder / part)


def lora_state(module) -> dict:
    return {k: v.detach().clone() for k, v in get_peft_model_state_dict(module).items()}


def seed_of(purpose: str, seed: int, index: int) -> int:
    """The seed of the product's generator for one purpose (`generatorFor`)."""
    value = 0x811C9DC5
    for letter in f"{purpose}:{seed}:{index}":
        value = (value ^ ord(letter)) * 0x01000193 & 0xFFFFFFFF
    return value


def shifted(noise: torch.Tensor, offset: float, index: int) -> torch.Tensor:
    """As diffusers' train_text_to_image.py: one more draw for each picture and channel."""
    generator = torch.Generator().manual_seed(seed_of("noise offset", 1234, index))
    return noise + offset * torch.randn((noise.shape[0], noise.shape[1], 1, 1), generator=generator)


def adafactor(groups: list, lr: float, weight_decay: float, **_):
    """As kohya's trainer sets it up beside a rate of one's own."""
    from transformers.optimization import Adafactor

    return Adafactor(groups, lr=lr, weight_decay=weight_decay, scale_parameter=False, relative_step=False, warmup_init=False)


def prodigy(groups: list, **settings):
    """As diffusers' train_dreambooth_lora_sdxl.py sets it up by default."""
    from prodigyopt import Prodigy

    return Prodigy(groups, decouple=True, use_bias_correction=True, safeguard_warmup=True, **settings)


def train(model: Path, record: dict, method: str, lr: float, start: Path | None = None, prior_weight: float = 1.0,
          prior: bool = False, dtype=torch.float32, prediction: str | None = None, snr_gamma: float | None = None,
          ema: float | None = None, optimizer: str = "adamw", text_lr: float | None = None, inpaint: bool = False,
          noise_offset: float = 0.0, d_coef: float | None = None):
    """The seed's step on each row: returns losses, tensors before and after as {part: {name: tensor}}.

    "prediction" replaces the model's own type. A record with "loss_weights" [n,b,1,h,w] has the subject's squared errors multiplied by them before the mean.
    """
    pipe = pipeline(model)
    scheduler = DDPMScheduler.from_config(pipe.scheduler.config)
    if inpaint:
        widened(pipe.unet)
    modules = {part: getattr(pipe, part) for part in ("unet", "text_encoder")}
    if method == "lora":
        modules = {p: PeftModel.from_pretrained(m, start / p, is_trainable=True) for p, m in modules.items()}
    state = lora_state if method == "lora" else lambda m: {k: v.detach().clone() for k, v in m.named_parameters()}
    for m in modules.values():
        m.to(dtype).train()
    before = {p: state(m) for p, m in modules.items()}
    trained = [q for m in modules.values() for q in m.parameters() if q.requires_grad]
    groups = [{"params": [q for q in m.parameters() if q.requires_grad], **({"lr": text_lr} if part == "text_encoder" and text_lr is not None else {})}
              for part, m in modules.items()]
    own = {"lr": lr, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}
    if d_coef is not None:
        own["d_coef"] = d_coef
    optimizer = {"prodigy": prodigy, "adafactor": adafactor, "adamw": torch.optim.AdamW}[optimizer](groups, **own)
    average = EMAModel(trained, decay=ema) if ema is not None else None
    losses = []
    for row, (latents, noise, timesteps, ids) in enumerate(zip(*(record[k] for k in ("latents", "noise", "timesteps", "input_ids")))):
        if noise_offset:
            noise = shifted(noise, noise_offset, row)
        noisy = scheduler.add_noise(latents.to(dtype), noise.to(dtype), timesteps)
        if inpaint:
            noisy = torch.cat([noisy, record["beside"][row].to(dtype)], dim=1)
        context = modules["text_encoder"](input_ids=ids)[0]
        predicted = modules["unet"](noisy, timesteps, context).sample
        kind = prediction or scheduler.config.prediction_type
        velocity = scheduler.get_velocity(latents.to(dtype), noise.to(dtype), timesteps)
        target = {"epsilon": noise.to(dtype), "sample": latents.to(dtype), "v_prediction": velocity}[kind]
        if snr_gamma is not None:  # as diffusers' train_text_to_image weighs rows
            snr = compute_snr(scheduler, timesteps)
            clipped = snr.clamp(max=snr_gamma)
            weights = {"epsilon": clipped / snr, "sample": clipped, "v_prediction": clipped / (snr + 1)}[kind]
            rows = F.mse_loss(predicted, target, reduction="none").mean((1, 2, 3)) * weights.to(dtype)
            halves = rows.chunk(2) if prior else (rows,)
            loss = halves[0].mean() + (prior_weight * halves[1].mean() if prior else 0)
        elif prior:
            subject, group = (F.mse_loss(a, b) for a, b in zip(predicted.chunk(2), target.chunk(2)))
            if "loss_weights" in record:
                subject = F.mse_loss(predicted.chunk(2)[0], target.chunk(2)[0], reduction="none").mul(record["loss_weights"][row].to(dtype)).mean()
            loss = subject + prior_weight * group
        else:
            loss = F.mse_loss(predicted, target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if average:
            average.step(trained)
    if average:
        average.copy_to(trained)
    return losses, before, {p: state(m) for p, m in modules.items()}


def published(part: str, name: str) -> str:
    """A PEFT or transformers 5 name in the published form, which our files use."""
    name = name.removeprefix("base_model.model.").removeprefix("text_model.")
    return f"text_model.{name}" if part == "text_encoder" else name


def read_tensors(folder: Path) -> dict:
    """All tensors of the safetensors files in a folder, except stored position ids."""
    files = sorted(folder.glob("*.safetensors"))
    return {n: t for file in files for n, t in load_file(file).items() if "position_ids" not in n}
