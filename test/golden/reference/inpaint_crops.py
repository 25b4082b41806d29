"""Rewrites ../fixtures/pipelines/crops.safetensors: random pictures as diffusers' VaeImageProcessor brings what it cut out for
inpainting to the model's size ("fill") and back ("crop"). Keys: <case>.picture, <case>.fill.WxH, <case>.crop.WxH, u8 [h,w,3].
"""

from pathlib import Path

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from safetensors.torch import save_file

OUT = Path(__file__).parents[1] / "fixtures" / "pipelines" / "crops.safetensors"
CASES = [((23, 17), (16, 16)), ((17, 23), (16, 16)), ((20, 20), (16, 24)), ((20, 20), (24, 16)), ((31, 30), (16, 16)), ((9, 29), (24, 24)),
         ((40, 12), (32, 24)), ((16, 16), (16, 16)), ((13, 40), (9, 31)), ((30, 5), (16, 16))]

if __name__ == "__main__":
    processor, random, out = VaeImageProcessor(), np.random.default_rng(4), {}
    for i, (own, size) in enumerate(CASES):
        image = Image.fromarray(random.integers(0, 256, (own[1], own[0], 3), dtype=np.uint8))
        out[f"{i}.picture"] = image
        for mode in ("fill", "crop"):
            out[f"{i}.{mode}.{size[0]}x{size[1]}"] = processor.resize(image, size[1], size[0], resize_mode=mode)
    save_file({name: torch.from_numpy(np.array(image)) for name, image in out.items()}, OUT)
