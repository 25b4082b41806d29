"""torch's AdamW with gradient clipping over ten steps, over twenty prodigyopt's Prodigy,
transformers' Adafactor and bitsandbytes' 8-bit AdamW; and diffusers' learning-rate schedules."""

import json
from pathlib import Path

import torch
from diffusers.optimization import get_scheduler
from bitsandbytes.functional import create_dynamic_map, dequantize_blockwise, quantize_blockwise
from prodigyopt import Prodigy
from safetensors.torch import save_file
from transformers.optimization import Adafactor

OUT = Path(__file__).parent.parent / "fixtures" / "optim"
SHAPES = {"a": (131, 150), "b": (9,), "c": (3, 5, 3, 3), "d": (13000,)}  # past two chunks of 16,384
STEPS, LR, NORM = 10, 3e-3, 1.0


def randn(seed: int, name: str) -> torch.Tensor:
    """The tests draw the same numbers with the same seeds."""
    return torch.randn(SHAPES[name], generator=torch.Generator().manual_seed(100 * seed + ord(name)))


def optimizer_goldens() -> None:
    parameters = {name: torch.nn.Parameter(randn(0, name)) for name in SHAPES}
    optimizer = torch.optim.AdamW(parameters.values(), lr=LR, betas=(0.9, 0.99), eps=1e-7, weight_decay=0.1)
    norms = []
    for step in range(1, STEPS + 1):
        for name, parameter in parameters.items():
            parameter.grad = randn(step, name) * 0.002 * step  # the first two are not clipped
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), NORM))
        optimizer.step()
    slots = {f"{slot}.{name}": optimizer.state[parameters[name]][key]
             for slot, key in (("m", "exp_avg"), ("v", "exp_avg_sq")) for name in "bc"}
    final = {name: p.detach().contiguous() for name, p in parameters.items()}
    save_file({"norms": torch.stack(norms), **final, **slots}, OUT / "adamw.safetensors")


def prodigy_goldens() -> None:
    """The first step is at rate 0, as with a warm-up. d is learnt within few steps, since gradients keep their sign.
    Parameters are small, as a LoRA's are: beside 1, f32 would not see steps of 1e-6."""
    parameters = {name: torch.nn.Parameter(randn(0, name) * 1e-2) for name in SHAPES}
    optimizer = Prodigy(parameters.values(), lr=1.0, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1, d_coef=2.0,
                        decouple=True, use_bias_correction=True, safeguard_warmup=True)
    sizes = []
    for step in range(1, 2 * STEPS + 1):
        optimizer.param_groups[0]["lr"] = min(1.0, (step - 1) / 3)
        for name, parameter in parameters.items():
            parameter.grad = parameter.detach() * 0.1 + randn(step, name) * 1e-4
        torch.nn.utils.clip_grad_norm_(parameters.values(), NORM)
        optimizer.step()
        sizes.append(optimizer.param_groups[0]["d"])
    final = {name: p.detach().contiguous() for name, p in parameters.items()}
    save_file({"sizes": torch.tensor(sizes), **final}, OUT / "prodigy.safetensors")
    print("d", sizes)


def drawn_steps(start: float):
    """Parameters and, step by step, their clipped gradients, as the tests draw them."""
    parameters = {name: torch.nn.Parameter(randn(0, name) * start) for name in SHAPES}
    def steps():
        for step in range(1, 2 * STEPS + 1):
            for name, parameter in parameters.items():
                parameter.grad = randn(step, name) * 0.002 * step
            torch.nn.utils.clip_grad_norm_(parameters.values(), NORM)
            yield step
    return parameters, steps


def adafactor_goldens() -> None:
    """As kohya's trainer sets it up beside a rate of one's own."""
    parameters, steps = drawn_steps(1.0)
    optimizer = Adafactor(parameters.values(), lr=LR, weight_decay=0.1, scale_parameter=False, relative_step=False, warmup_init=False)
    for _ in steps():
        optimizer.step()
    save_file({name: p.detach().contiguous() for name, p in parameters.items()}, OUT / "adafactor.safetensors")


def adamw8bit_goldens() -> None:
    """bitsandbytes' blockwise update with its own quantization, in torch (its 8-bit kernels run on GPUs alone)."""
    parameters, steps = drawn_steps(1.0)
    codes = [create_dynamic_map(signed) for signed in (True, False)]
    moments = {name: [torch.zeros(shape), torch.zeros(shape)] for name, shape in SHAPES.items()}
    beta1, beta2, eps, decay = 0.9, 0.99, 1e-7, 0.1
    for step in steps():
        for name, p in parameters.items():
            m, v = moments[name]
            m = beta1 * m + (1 - beta1) * p.grad
            v = beta2 * v + (1 - beta2) * p.grad.square()
            with torch.no_grad():
                p.mul_(1 - LR * decay)
                p.addcdiv_(m, (v.sqrt() / (1 - beta2**step) ** 0.5).add_(eps), value=-LR / (1 - beta1**step))
            if p.numel() >= 4096:
                m, v = (dequantize_blockwise(*quantize_blockwise(x, code=c, blocksize=256)) for x, c in zip((m, v), codes))
            moments[name] = [m, v]
    save_file({name: p.detach().contiguous() for name, p in parameters.items()}, OUT / "adamw8bit.safetensors")


def schedule_goldens() -> None:
    cases = []
    for name in ("constant", "constant_with_warmup", "linear", "cosine"):
        for warmup, steps in ((0, 12), (5, 12), (12, 12), (20, 12), (0, 1)):
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            schedule = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
            factors = []
            for _ in range(steps):
                factors.append(schedule.get_last_lr()[0])
                optimizer.step()
                schedule.step()
            cases.append({"schedule": name, "warmup": warmup, "steps": steps, "factors": factors})
    (OUT / "schedules.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    optimizer_goldens()
    prodigy_goldens()
    adafactor_goldens()
    adamw8bit_goldens()
    schedule_goldens()
