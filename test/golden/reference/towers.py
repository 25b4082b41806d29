"""CLIP-I, DINO and CLIP-T of random towers, by transformers: folders in several shapes and forms, six pictures, six prompts.

Writes fixtures/towers/: folders `clip-*`, `dino-*` (float16 or small float32 weights), `photos`, `images`, `prompts.txt` and
`expected.json` with embeddings of the first picture and the three figures, computed in float32 from the saved weights.
transformers' PIL backend is the reference; where torchvision is there, the processors' default differs a little.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from transformers import (BitImageProcessorPil, CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer, Dinov2Config, Dinov2Model, ViTConfig,
                          ViTImageProcessorPil, ViTModel)

from photos import scene
from tiny_tokenizer import write_tokenizer

root = Path(__file__).parent.parent / "fixtures" / "towers"
PROMPTS = ["a photo of sks dog in the snow", "a red car on the beach", "sks dog", "an oil painting of a house by the river at night",
           "a small vase", "detailed digital art of a ship " * 20]


def perturbed(model):
    """Default initialization leaves norms and biases plain; every tensor gets its share of noise."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            # Pictures must look different to the towers, or any network would pass.
            tensor *= 8 if "patch_embed" in name else 3 if "q_proj" in name or "k_proj" in name else 1
            tensor *= 0.2 if "class_embedding" in name or "cls_token" in name or "position" in name else 1
            tensor += torch.randn(tensor.shape, generator=generator) * 0.15 * (tensor.std() if tensor.numel() > 1 and tensor.std() > 0 else 1)
    return model.eval()


def clip(name, act, eos, dtype, image_config, form, projection, patch=8, size=32):
    torch.manual_seed(len(name))
    folder = root / name
    vocabulary = write_tokenizer(folder, 60, "<|endoftext|>")
    start, end = vocabulary - 2, vocabulary - 1
    config = CLIPConfig(
        text_config=dict(vocab_size=vocabulary, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, hidden_act=act,
                         bos_token_id=start, eos_token_id=eos if eos is not None else end, pad_token_id=end),
        vision_config=dict(hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, image_size=size, patch_size=patch,
                           hidden_act=act),
        projection_dim=projection)
    model = perturbed(CLIPModel(config)).to(dtype)
    store(model, folder, form)
    (folder / "preprocessor_config.json").write_text(json.dumps(image_config, indent=1) + "\n")


def store(model, folder, form):
    model.save_pretrained(folder)
    file = folder / "model.safetensors"
    tensors = load_file(file)
    if form == "bin":
        torch.save({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "pytorch_model.bin")
        file.unlink()
    elif form == "new":
        # The names that transformers 5 has in memory; save_pretrained writes the published ones.
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, file, metadata={"format": "pt"})
    elif form == "prefixed":
        save_file({f"vit.{name}": tensor for name, tensor in tensors.items()}, file, metadata={"format": "pt"})
    file.exists() and file.chmod(0o644)


def processor(folder, kind):
    config = json.loads((folder / "preprocessor_config.json").read_text())
    config = {key: value for key, value in config.items() if not key.endswith("_type")}
    return kind(**config)


def embeds(output):
    return getattr(output, "pooler_output", output)


def cosines(a, b):
    return torch.nn.functional.normalize(a.double(), dim=-1) @ torch.nn.functional.normalize(b.double(), dim=-1).T


def main():
    shutil.rmtree(root, ignore_errors=True)
    for part, count, offset in [("photos", 3, 0), ("images", 6, 10)]:
        (root / part).mkdir(parents=True)
        for i in range(count):
            scene(60 + 17 * (offset + i) % 71, 50 + 29 * (offset + i) % 83).save(root / part / f"{part}-{i + 8}.png")
    # Turned by its EXIF.
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(70, 40).save(root / "photos" / "turned.png", exif=exif)
    (root / "prompts.txt").write_text("\n".join(PROMPTS) + "\n")

    openai = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
    clip("clip-quick", "quick_gelu", 2, torch.float16, dict(crop_size=32, do_center_crop=True, do_normalize=True, do_resize=True,
         feature_extractor_type="CLIPFeatureExtractor", resample=3, size=32, **openai), "safetensors", 24)
    clip("clip-gelu", "gelu", None, torch.float32, dict(crop_size=dict(height=32, width=32), do_center_crop=True, do_convert_rgb=True,
         do_normalize=True, do_rescale=True, do_resize=True, image_processor_type="CLIPImageProcessor", resample=1, rescale_factor=1 / 255,
         size=dict(shortest_edge=40), **openai), "bin", 40)
    imagenet = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    sizes = dict(hidden_size=36, initializer_range=0.25, num_hidden_layers=3, num_attention_heads=3, image_size=32, patch_size=8)
    for name, form, dtype, config in [
        ("dino-published", "safetensors", torch.float32, dict(do_normalize=True, do_resize=True, feature_extractor_type="ViTFeatureExtractor",
                                                              resample=3, size=32, **imagenet)),
        ("dino-new", "new", torch.float16, dict(do_normalize=True, do_resize=True, do_rescale=True, image_processor_type="ViTImageProcessor",
                                                rescale_factor=1 / 127.5, size=dict(height=32, width=32))),
        ("dino-prefixed", "prefixed", torch.float16, dict(do_normalize=False, size=32, image_processor_type="ViTImageProcessorFast")),
    ]:
        torch.manual_seed(len(name))
        model = perturbed(ViTModel(ViTConfig(intermediate_size=72, qkv_bias=name != "dino-prefixed", **sizes))).to(dtype)
        store(model, root / name, form)
        (root / name / "preprocessor_config.json").write_text(json.dumps(config, indent=1) + "\n")
    bit = dict(image_processor_type="BitImageProcessor", do_resize=True, do_center_crop=True, resample=3, size=dict(shortest_edge=36),
               crop_size=dict(height=32, width=32), **imagenet)
    for name, form, changes in [("dino2-published", "safetensors", {}), ("dino2-new", "new", dict(use_swiglu_ffn=True)),
                                ("dino2-larger", "safetensors", dict(image_size=56))]:
        torch.manual_seed(len(name))
        model = perturbed(Dinov2Model(Dinov2Config(mlp_ratio=2, **{**sizes, **changes}))).to(torch.float16)
        store(model, root / name, form)
        (root / name / "preprocessor_config.json").write_text(json.dumps(bit, indent=1) + "\n")

    def read(part):
        natural = lambda path: (not path.stem[-1].isdigit(), len(path.stem), path.stem)
        return [ImageOps.exif_transpose(Image.open(path)).convert("RGB") for path in sorted((root / part).iterdir(), key=natural)]

    photos, images = read("photos"), read("images")
    expected = {}
    with torch.no_grad():
        for name in ["clip-quick", "clip-gelu"]:
            folder = root / name
            model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
            pixels = [processor(folder, CLIPImageProcessorPil)(batch, return_tensors="pt")["pixel_values"] for batch in (photos, images)]
            a, b = [embeds(model.get_image_features(batch)) for batch in pixels]
            ids = CLIPTokenizer.from_pretrained(folder)(PROMPTS, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
            text = embeds(model.get_text_features(ids))
            expected[name] = dict(clipI=cosines(a, b).mean().item(), clipT=cosines(b, text).diagonal().mean().item(),
                                  image=cosines(a, b)[0].tolist(), text=cosines(b, text)[0].tolist(), pixels=pixels[1][0].flatten()[::97].tolist())
        for folder in sorted(root.glob("dino*")):
            kind = Dinov2Model if folder.name.startswith("dino2") else ViTModel
            model = kind.from_pretrained(folder if folder.name != "dino-prefixed" else unprefixed(folder), dtype=torch.float32).eval()
            prepare = processor(folder, BitImageProcessorPil if kind is Dinov2Model else ViTImageProcessorPil)
            a, b = [model(prepare(batch, return_tensors="pt")["pixel_values"]).last_hidden_state[:, 0] for batch in (photos, images)]
            expected[folder.name] = dict(dino=cosines(a, b).mean().item(), image=cosines(a, b)[0].tolist())
    (root / "expected.json").write_text(json.dumps(expected) + "\n")


def unprefixed(folder):
    other = Path("/tmp/unprefixed")
    shutil.copytree(folder, other, dirs_exist_ok=True)
    tensors = load_file(folder / "model.safetensors")
    save_file({name.removeprefix("vit."): tensor for name, tensor in tensors.items()}, other / "model.safetensors", metadata={"format": "pt"})
    return other


if __name__ == "__main__":
    main()
