"""Writes ../fixtures/checkpoints/lora-kinds/: LoHa, LoKr and DoRA as PEFT saves them, and how they move the weights.

python lora_kinds.py; needs torch, diffusers, peft, safetensors. The tests write the same tensors under other tools' names.
"""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from safetensors.torch import save_file

FIXTURES = Path(__file__).parents[1] / "fixtures"
HERE = FIXTURES / "checkpoints" / "lora-kinds"
UNET = FIXTURES / "models" / "tiny-sd1" / "unet"
LINEAR = r".*down_blocks\.0\.attentions\.0.*attn1\.to_q"
CONV = r".*down_blocks\.0\.resnets\.0\.conv1"
BOTH = rf"({LINEAR}|{CONV})"

KINDS = {
    "loha": LoHaConfig(r=2, alpha=3, target_modules=BOTH),
    "loha-tucker": LoHaConfig(r=2, alpha=3, target_modules=CONV, use_effective_conv2d=True),
    "lokr": LoKrConfig(r=2, alpha=3, target_modules=BOTH, decompose_factor=2),
    "lokr-both": LoKrConfig(r=1, alpha=3, target_modules=BOTH, decompose_factor=2, decompose_both=True),
    "lokr-tucker": LoKrConfig(r=1, alpha=3, target_modules=CONV, use_effective_conv2d=True, decompose_factor=2),
    "dora": LoraConfig(r=2, lora_alpha=3, target_modules=BOTH, use_dora=True),
    "rslora": LoraConfig(r=2, lora_alpha=3, target_modules=BOTH, use_rslora=True),
}


@torch.no_grad()
def main() -> None:
    torch.manual_seed(5)
    for name, config in KINDS.items():
        base = UNet2DConditionModel.from_pretrained(UNET, torch_dtype=torch.float32)
        before = {k: v.clone() for k, v in base.state_dict().items()}
        model = get_peft_model(base, config)
        for key, parameter in model.named_parameters():
            if "magnitude" in key:
                parameter *= 1 + 0.2 * torch.randn(parameter.shape)
            elif any(kind in key for kind in ("lora_", "hada_", "lokr_")):
                parameter.copy_(0.3 * torch.randn(parameter.shape))
        model.save_pretrained(HERE / name)
        (HERE / name / "README.md").unlink(missing_ok=True)
        after = model.merge_and_unload().state_dict()
        moved = {k: after[k] - v for k, v in before.items() if not torch.equal(after[k], v)}
        save_file(moved, HERE / name / "moved.safetensors")
        print(name, sorted(moved))


main()
