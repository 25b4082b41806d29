"""Writes ../fixtures/checkpoints/: files as torch, diffusers, peft and safetensors store them, and what is in them.

python checkpoints.py; needs torch, diffusers, transformers, peft, safetensors.
"""

import json
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from ldm_names import single_file, xl_single_file

HERE = Path(__file__).parents[1] / "fixtures" / "checkpoints"
MODELS = Path(__file__).parents[1] / "fixtures" / "models"


def numbers(tensors: dict) -> dict:
    """What a reader must find: type, shape and values, as JSON."""
    return {
        name: {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": t.double().flatten().tolist()}
        for name, t in tensors.items()
    }


def torch_files() -> None:
    torch.manual_seed(0)
    storage = torch.randn(20)
    tensors = OrderedDict(
        f32=torch.randn(2, 3), f16=torch.randn(3).half(), bf16=torch.randn(3).bfloat16(), i64=torch.tensor([1, -2, 1 << 40]),
        i32=torch.tensor([7, -7], dtype=torch.int32), u8=torch.tensor([0, 255], dtype=torch.uint8), flag=torch.tensor([True, False]),
        scalar=torch.tensor(2.5), empty=torch.zeros(0, 4), slice=storage[4:10].view(2, 3), parameter=torch.nn.Parameter(torch.randn(2)),
        unit=torch.randn(3, 1).t().contiguous().t(),  # strides that look transposed on an axis of size 1
    )
    refused = {"strided": torch.randn(3, 2).t(), "f64": torch.randn(2).double()}
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, HERE / "tensors.safetensors", {"made by": "safetensors"})
    state = tensors | refused
    state._metadata = OrderedDict({"": {"version": 1}})  # as Module.state_dict() has it
    torch.save(state, HERE / "zip.bin")
    torch.save(state, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
    lightning = {"epoch": 3, "global_step": 875000, "state_dict": tensors, "callbacks": {}, "lr_schedulers": [], "hyper": {"lr": 1e-4}}
    torch.save(lightning, HERE / "lightning.ckpt")
    json.dump({k: numbers({k: v})[k] for k, v in tensors.items()}, open(HERE / "tensors.json", "w"))


def strided_files() -> None:
    """Tensors in other orders than row-major, as torch saves them; the same ones in row-major order."""
    torch.manual_seed(1)
    tensors = OrderedDict(
        conv=torch.randn(4, 3, 3, 2).to(memory_format=torch.channels_last),
        half=torch.randn(2, 5, 3, 3).half().to(memory_format=torch.channels_last),
        bf16=torch.randn(3, 2).bfloat16().t(),
        part=torch.randn(6, 8)[1:5:2, 2:7],
        dense=torch.randn(2, 2),
        expanded=torch.randn(1).expand(5),
    )
    torch.save(tensors, HERE / "strided.bin")
    save_file({k: v.contiguous() for k, v in tensors.items() if k != "expanded"}, HERE / "strided.safetensors")


class Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def evil_files() -> None:
    """Each would leave a file called `pickle-ran` in the working directory if it were loaded."""
    for name, call in {"system": Call(os.system, "touch pickle-ran"), "eval": Call(eval, "open('pickle-ran', 'w')")}.items():
        for protocol in (2, 4):
            (HERE / f"evil-{name}-{protocol}.pkl").write_bytes(pickle.dumps({"weight": call}, protocol=protocol))


def lora_files() -> None:
    torch.manual_seed(1)
    folder = MODELS / "tiny-sd1"
    # Few modules, so that the files stay small.
    only = {"unet": r".*down_blocks\.0\.(attentions\.0.*to_q|resnets\.0\.conv1)|.*mid_block.*proj_in", "text_encoder": r".*layers\.1.*q_proj"}
    states, models = {}, {}
    for part, kind, alpha in (("unet", UNet2DConditionModel, 6), ("text_encoder", CLIPTextModel, 5)):
        config = LoraConfig(r=2, lora_alpha=alpha, target_modules=only[part], init_lora_weights=False)
        models[part] = kind.from_pretrained(folder / part)
        wrapped = get_peft_model(kind.from_pretrained(folder / part), config)
        models[part].add_adapter(config)
        states[part] = get_peft_model_state_dict(models[part])
        wrapped.load_state_dict({f"base_model.model.{k.replace('.lora_A.', '.lora_A.default.').replace('.lora_B.', '.lora_B.default.')}": v
                                 for k, v in states[part].items()}, strict=False)
        wrapped.save_pretrained(HERE / "peft" / part)
        (HERE / "peft" / part / "README.md").unlink(missing_ok=True)
    StableDiffusionPipeline.save_lora_weights(
        HERE, convert_state_dict_to_diffusers(states["unet"]), convert_state_dict_to_diffusers(states["text_encoder"]),
        weight_name="lora-diffusers.safetensors", **_collate_lora_metadata(models))
    changed = {}
    for part, state in states.items():
        for name in sorted({k.rsplit(".lora_", 1)[0] for k in state}):
            module = models[part].get_submodule(name)
            full = name if part == "unet" else f"text_model.{name}"
            changed[f"{part}.{full}"] = module.get_delta_weight("default").contiguous()
    save_file(changed, HERE / "lora-deltas.safetensors")


def pickled_alphas() -> None:
    """A LoRA with its alphas as Python's and numpy's own numbers, as scripts leave them that pickle dicts by themselves."""
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    g = torch.Generator().manual_seed(2)
    matrices = {f"{stem}.lora_down.weight": torch.randn(2, 16, 1, 1, generator=g), f"{stem}.lora_up.weight": torch.randn(16, 2, 1, 1, generator=g)}
    for kind, alpha in (("float", 3.0), ("int", 3), ("numpy", numpy.float64(3))):
        torch.save(matrices | {f"{stem}.alpha": alpha}, HERE / f"lora-alpha-{kind}.pt")


def single_file_names() -> None:
    """LDM names beside diffusers' by diffusers' own converters, which must cover the whole state dict."""
    pairs = {}
    for model in ("tiny-sd1", "tiny-sd2", "tiny-bk", "tiny-sdxl", "tiny-ssd", "tiny-koala", "tiny-koala-1b"):
        unet = UNet2DConditionModel.from_pretrained(MODELS / model / "unet", torch_dtype=torch.float32)
        vae = AutoencoderKL.from_pretrained(MODELS / model / "vae", torch_dtype=torch.float32)
        text = CLIPTextModel.from_pretrained(MODELS / model / "text_encoder", torch_dtype=torch.float32)
        if (MODELS / model / "text_encoder_2").exists():
            text2 = CLIPTextModelWithProjection.from_pretrained(MODELS / model / "text_encoder_2", torch_dtype=torch.float32)
            state = xl_single_file(text, text2, unet, vae)
        else:
            state = single_file(text, unet, vae)
        if model in ("tiny-sd2", "tiny-koala"):  # those whose text encoders are laid out otherwise
            save_file({k: v.half() for k, v in state.items() if "model_ema" not in k}, HERE / f"{model}.safetensors")
        found = {}
        for part, prefix, convert, module in (("unet", "model.diffusion_model.", convert_ldm_unet_checkpoint, unet),
                                              ("vae", "first_stage_model.", convert_ldm_vae_checkpoint, vae)):
            # Each tensor carries its own number, so that the converter's result says where it came from.
            names = [n for n in state if n.startswith(prefix)]
            marked = {n: torch.full((1,) * state[n].ndim, float(i)) for i, n in enumerate(names)}
            converted = convert(marked, dict(module.config))
            assert converted.keys() == module.state_dict().keys(), converted.keys() ^ module.state_dict().keys()
            found[part] = {names[int(t.flatten()[0])].removeprefix(prefix): ours for ours, t in converted.items()}
        pairs[model] = found
    json.dump(pairs, open(HERE / "single-file-names.json", "w"), indent=0)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch_files()
    strided_files()
    evil_files()
    lora_files()
    pickled_alphas()
    single_file_names()
