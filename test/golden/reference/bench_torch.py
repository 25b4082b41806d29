"""PyTorch's time and memory for BK-SDM-Tiny with random weights: python bench_torch.py [forward|lora|full|distill|matmul] [repeat].

float32, batch 2, 64² latents, the seed's step: DreamBooth with prior preservation (one instance, one class picture),
SD 1's text encoder (123 M) trained along, AdamW, gradient norm 1 over both. `distill`: BK-SDM's step, batch 1, 32²
latents, from a teacher of SD 1's shape that runs without gradients. One part a process, so that the peak resident
memory is that part's.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from transformers import CLIPTextConfig, CLIPTextModel

UNET = dict(
    sample_size=64, block_out_channels=(320, 640, 1280), layers_per_block=1, mid_block_type=None, cross_attention_dim=768,
    attention_head_dim=8, down_block_types=("CrossAttnDownBlock2D",) * 3, up_block_types=("CrossAttnUpBlock2D",) * 3,
)
TEXT = dict(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
            max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=49406, eos_token_id=49407)


SD1 = dict(sample_size=64, cross_attention_dim=768, attention_head_dim=8)


def time_of(work, repeat: int) -> list[float]:
    """Seconds of each call after one that warms up."""
    work()
    seconds = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def training_step(part: str, unet, text):
    if part == "lora":
        unet = get_peft_model(unet, LoraConfig(r=16, lora_alpha=27, target_modules=["to_q", "to_v"]))
        text = get_peft_model(text, LoraConfig(r=16, lora_alpha=17, target_modules=["q_proj", "v_proj"]))
    unet.train()
    text.train()
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    trained = [p for m in (unet, text) for p in m.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4 if part == "lora" else 1e-6, weight_decay=1e-2)
    latents, noise = torch.randn(2, 2, 4, 64, 64)
    timesteps, ids = torch.tensor([100, 700]), torch.randint(0, 49406, (2, 77))

    def step():
        prediction = unet(scheduler.add_noise(latents, noise, timesteps), timesteps, text(input_ids=ids)[0]).sample
        subject, group = (F.mse_loss(a, b) for a, b in zip(prediction.chunk(2), noise.chunk(2)))
        (subject + group).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def distillation_step(student):
    """BK-SDM's losses with its hooks (teacher's outputs let go after the step), AdamW, gradient norm 1."""
    teacher = UNet2DConditionModel(**SD1).requires_grad_(False).eval()
    student.train()
    taught, learnt = watch(teacher, [a for a, _ in PAIRS]), watch(student, [b for _, b in PAIRS])
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    optimizer = torch.optim.AdamW(student.parameters(), lr=5e-5, weight_decay=1e-2)
    latents, noise = torch.randn(2, 1, 4, 32, 32)
    timesteps, context = torch.tensor([500]), torch.randn(1, 77, 768)

    def step():
        noisy = scheduler.add_noise(latents, noise, timesteps)
        with torch.no_grad():
            wanted = teacher(noisy, timesteps, context).sample
        prediction = student(noisy, timesteps, context).sample
        features = sum(F.mse_loss(learnt.pop(b), taught.pop(a)) for a, b in PAIRS)
        (F.mse_loss(prediction, noise) + F.mse_loss(prediction, wanted) + features).backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


INNER = ("down_blocks.2.attentions.1.proj_out", "down_blocks.2.attentions.0.proj_out")
PAIRS = [("down_blocks.0",) * 2, ("down_blocks.1",) * 2, INNER, *((f"up_blocks.{i + 1}", f"up_blocks.{i}") for i in range(3))]


def watch(unet, names) -> dict:
    seen = {}
    for name, module in unet.named_modules():
        if name in names:
            module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out))
    return seen


def matmul_gflops() -> float:
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    best = min(time_of(lambda: a @ b, 10))
    return 2 * 2048**3 / best / 1e9


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else "forward"
    repeat = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.manual_seed(0)
    if part == "matmul":
        print(json.dumps({"part": part, "gflops": matmul_gflops(), "threads": torch.get_num_threads()}))
        sys.exit()
    unet = UNet2DConditionModel(**UNET)
    if part == "forward":
        latents, context = torch.randn(2, 4, 64, 64), torch.randn(2, 77, 768)
        with torch.no_grad():
            seconds = time_of(lambda: unet(latents, torch.tensor([100, 700]), context), repeat)
    elif part == "distill":
        seconds = time_of(distillation_step(unet), repeat)
    else:
        seconds = time_of(training_step(part, unet, CLIPTextModel(CLIPTextConfig(**TEXT))), repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"part": part, "seconds": seconds, "best": min(seconds), "peakBytes": peak,
                      "threads": torch.get_num_threads(), "parameters": sum(p.numel() for p in unet.parameters())}))
