"""
Stage 5: the folder that ships, in f16, as the product and diffusers open it.

    python export.py --to FOLDER
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from autoencoder import CONFIG as VAE
from autoencoder import Autoencoder
from encoder import write_into
from examples import TOKENIZER
from latents import FOLDER
from paths import WEIGHTS, load_state
from text import TEXT, TOWER, text_model
from unet import CONFIG as UNET
from unet import SCHEDULER, build

HERE = Path(__file__).resolve().parent


def write_json(file: Path, content: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n")


def write_part(folder: Path, name: str, config: dict, weights: dict[str, torch.Tensor]) -> None:
    write_json(folder / "config.json", config)
    halves = {k: v.detach().half().contiguous() for k, v in weights.items() if v.is_floating_point()}
    save_file(halves, folder / name, {"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", type=Path, default=WEIGHTS / "likeness-mini")
    to = parser.parse_args().to
    scale = torch.load(FOLDER / "scale.pt")
    overall = float(scale["overall"])

    # The newest decoder that belongs to the latents' encoder.
    state = load_state("sharp.pt") or load_state("autoencoder.pt")
    trained = Autoencoder()
    trained.load_state_dict(state["average"])
    vae = AutoencoderKL(**VAE)
    vae.decoder, vae.post_quant_conv = trained.decoder, trained.post_quant_conv
    write_into(vae, trained.encoder, torch.zeros(VAE["latent_channels"]))
    config = {"_class_name": "AutoencoderKL", **VAE, "act_fn": "silu", "scaling_factor": 1 / overall}
    write_part(to / "vae", "diffusion_pytorch_model.safetensors", config, vae.state_dict())

    unet = load_state("unet.pt")
    # What the library itself would write, so that every tool finds the settings it looks for.
    unet_config = {"_class_name": "UNet2DConditionModel", **UNET, "act_fn": "silu", "norm_eps": 1e-5}
    unet_config |= {"downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "center_input_sample": False}
    weights = unet["average"] if unet else build().state_dict()
    write_part(to / "unet", "diffusion_pytorch_model.safetensors", unet_config, weights)

    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    texts = load_state("text.pt")
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    text_config = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **TEXT}
    text_config |= {"vocab_size": len(tokenizer), **ends, "pad_token_id": tokenizer.eos_token_id}
    named = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in texts["text"].items()}
    write_part(to / "text_encoder", "model.safetensors", text_config, named)
    write_part(to / "scorer", "model.safetensors", TOWER, texts["scorer"])

    shutil.copytree(TOKENIZER, to / "tokenizer", dirs_exist_ok=True)
    write_json(to / "scheduler" / "scheduler_config.json", SCHEDULER)
    index = {"_class_name": "StableDiffusionPipeline", "feature_extractor": [None, None]}
    index |= {"requires_safety_checker": False, "safety_checker": [None, None]}
    index |= {"scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"]}
    index |= {"tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"]}
    write_json(to / "model_index.json", index | {"vae": ["diffusers", "AutoencoderKL"]})
    shutil.copy(HERE / "likeness.json", to / "likeness.json")
    print(f"{to}: U-Net after {unet['seen'] if unet else 0} examples, scaling factor {1 / overall:.4f}")


if __name__ == "__main__":
    main()
