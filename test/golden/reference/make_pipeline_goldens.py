"""python make_pipeline_goldens.py: diffusers' final latents and pictures on the fixture models, 12 steps, guidance 7.5.

Writes ../fixtures/pipelines/<model>.safetensors.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from accept import pipeline
from accept_pipelines import NEGATIVE, PROMPT, SAMPLERS

FIXTURES = Path(__file__).parent.parent / "fixtures"

if __name__ == "__main__":
    (FIXTURES / "pipelines").mkdir(exist_ok=True)
    for model in ("tiny-sd1", "tiny-sd2", "tiny-bk"):
        folder = FIXTURES / "models" / model
        start = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(3))
        out = {"start": start}
        for sampler, scheduler in SAMPLERS.items():
            options = dict(num_inference_steps=12, height=64, width=64, guidance_scale=7.5)
            if sampler not in ("euler-a", "ddpm"):
                out[f"{sampler}.latents"] = pipeline(folder, scheduler)(
                    PROMPT, num_images_per_prompt=2, latents=start, output_type="latent", **options
                ).images
            if sampler in ("ddim", "euler-a"):
                picture = pipeline(folder, scheduler)(
                    PROMPT, negative_prompt=NEGATIVE, generator=torch.Generator("cpu").manual_seed(42), **options
                ).images[0]
                out[f"{sampler}.picture"] = torch.from_numpy(np.array(picture))
        save_file(out, FIXTURES / "pipelines" / f"{model}.safetensors", {"prompt": PROMPT, "negative": NEGATIVE, "seed": "42"})
