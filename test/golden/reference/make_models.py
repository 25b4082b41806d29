"""python make_models.py OUT: one small diffusers folder for every family shape, plus the same SD 1 model as it may
also be stored: transformers 5 names, shards, pickles, a single file in both containers."""

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ldm_names import single_file
from tiny_models import FAMILIES, write_folder

if __name__ == "__main__":
    out = Path(sys.argv[1])
    built = {name: write_folder(out / name, family) for name, family in FAMILIES.items()}
    write_folder(out / "sd1-transformers5", FAMILIES["sd1"], transformers=5)

    shutil.copytree(out / "sd1", out / "sd1-sharded", dirs_exist_ok=True)
    (out / "sd1-sharded/unet/diffusion_pytorch_model.safetensors").unlink()
    unet = built["sd1"][1]
    unet.save_pretrained(out / "sd1-sharded/unet", max_shard_size="4MB")

    shutil.copytree(out / "sd1", out / "sd1-bin", dirs_exist_ok=True)
    names = {"unet": "diffusion_pytorch_model.bin", "vae": "diffusion_pytorch_model.bin", "text_encoder": "pytorch_model.bin"}
    for part in names:
        weights = next((out / "sd1-bin" / part).glob("*.safetensors"))
        torch.save(load_file(weights), weights.with_name(names[part]))
        weights.unlink()

    for name in ("sd1", "sd2-v", "bk-base"):
        state = single_file(*built[name])
        save_file(state, out / f"{name}-single.safetensors")
    torch.save({"global_step": 7, "state_dict": single_file(*built["sd1"])}, out / "sd1-single.ckpt")
