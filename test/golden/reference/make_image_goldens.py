"""python make_image_goldens.py: diffusers' image to image and inpainting on a fixture model, every sampler, 12 steps.

Writes ../fixtures/pipelines/images.safetensors: the picture and mask (u8), the final latents under "<way>.<sampler>", and the first
convolution of the same U-Net with 9 input channels.
"""

from pathlib import Path

import diffusers
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from safetensors.torch import save_file

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
CLASSES = {
    "pndm": "PNDMScheduler", "ddim": "DDIMScheduler", "ddpm": "DDPMScheduler", "dpm++2m": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler", "euler-a": "EulerAncestralDiscreteScheduler", "lms": "LMSDiscreteScheduler",
    "heun": "HeunDiscreteScheduler", "dpm++2m-sde": "DPMSolverMultistepScheduler", "deis": "DEISMultistepScheduler",
    "unipc": "UniPCMultistepScheduler", "lcm": "LCMScheduler",
}
PROMPT, NEGATIVE, SEED = "a photo of sks dog in the snow", "blurry painting", 42


def photo():
    """72 × 88 pixels, so that it is resized, and a mask with a soft edge."""
    y, x = np.mgrid[0:88, 0:72]
    waves = [np.sin(x / 9 + c) * np.cos(y / (7 + c)) for c in range(3)]
    image = Image.fromarray(np.uint8(np.stack(waves, -1) * 100 + 128))
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((14, 20, 55, 70), fill=255)
    return image, mask.filter(ImageFilter.GaussianBlur(3))


def main():
    model = FIXTURES / "models" / "tiny-sd1"
    image, mask = photo()
    out = {"image": torch.from_numpy(np.array(image)), "mask": torch.from_numpy(np.array(mask))}
    size = dict(height=64, width=64)
    common = dict(negative_prompt=NEGATIVE, num_inference_steps=12, guidance_scale=7.5, output_type="latent")
    nine = pipeline(model).unet
    torch.manual_seed(0)
    first = torch.nn.Conv2d(9, nine.conv_in.out_channels, 3, padding=1)
    out["conv_in.weight"], out["conv_in.bias"] = first.weight.detach(), first.bias.detach()
    for name, kind in CLASSES.items():
        said = {"dpm++2m": "dpmsolver++", "dpm++2m-sde": "sde-dpmsolver++"}

        def pipe(cls, unet=None):
            base = pipeline(model)
            options = {"algorithm_type": said[name]} if name in said else {}
            parts = {**base.components, "scheduler": getattr(diffusers, kind).from_config(base.scheduler.config, **options)}
            made = cls(**{**parts, **({"unet": unet} if unet else {})}, requires_safety_checker=False)
            made.set_progress_bar_config(disable=True)
            return made

        def seeded():
            return torch.Generator("cpu").manual_seed(SEED)

        image2image = pipe(diffusers.StableDiffusionImg2ImgPipeline)
        for strength in (0.6, 0.95, 1.0):
            out[f"image-{strength}.{name}"] = image2image(
                PROMPT, image=image.resize((64, 64), Image.LANCZOS), strength=strength, generator=seeded(), **common
            ).images
        inpaint = pipe(diffusers.StableDiffusionInpaintPipeline)
        for strength in (0.7, 1.0):
            out[f"mask-{strength}.{name}"] = inpaint(
                PROMPT, image=image, mask_image=mask, strength=strength, generator=seeded(), **size, **common
            ).images
    for name, cls in {"ddim": "DDIMScheduler", "euler-a": "EulerAncestralDiscreteScheduler"}.items():
        unet = pipeline(model).unet
        unet.conv_in = first
        unet.register_to_config(in_channels=9)
        base = pipeline(model)
        made = diffusers.StableDiffusionInpaintPipeline(
            **{**base.components, "scheduler": getattr(diffusers, cls).from_config(base.scheduler.config), "unet": unet},
            requires_safety_checker=False,
        )
        made.set_progress_bar_config(disable=True)
        for strength in (0.7, 1.0):
            out[f"nine-{strength}.{name}"] = made(
                PROMPT, image=image, mask_image=mask, strength=strength,
                generator=torch.Generator("cpu").manual_seed(SEED), **size, **common,
            ).images
        out[f"nine-blank.{name}"] = made(
            PROMPT, image=Image.new("RGB", (64, 64)), mask_image=Image.new("L", (64, 64), 255), strength=1.0,
            generator=torch.Generator("cpu").manual_seed(SEED), **size, **common,
        ).images
    out = {key: value.detach().contiguous() for key, value in out.items()}
    save_file(out, FIXTURES / "pipelines" / "images.safetensors", {"prompt": PROMPT, "negative": NEGATIVE, "seed": str(SEED)})


if __name__ == "__main__":
    with torch.no_grad():
        main()
