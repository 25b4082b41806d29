"""
Takes training to a machine with a GPU and back, in pieces that fit what a call may carry.

    python pack.py out --examples 25000 --to PACK      # a folder that serves as LIKENESS_OUT there, without the pictures
    python pack.py state --to PACK                     # the U-Net so far (its average, f16)
    LIKENESS_OUT=PACK python unet.py --device cuda --batch 512 --hours 0.15
    LIKENESS_OUT=PACK python pack.py state --to DIR    # there, afterwards
    python pack.py join --from DIR                     # here: the average becomes the U-Net that training goes on with
"""

import argparse
import shutil
from pathlib import Path

import torch

from latents import FOLDER
from paths import OUT, PICTURES, WEIGHTS, load_state, save_state
from pictures import SHARD

PIECE = 15 * 2**20  # bytes


def copy_data(to: Path, examples: int) -> None:
    for name in (FOLDER, WEIGHTS / "tokenizer"):
        (to / name.relative_to(OUT)).mkdir(parents=True, exist_ok=True)
    (to / PICTURES.relative_to(OUT)).mkdir(parents=True, exist_ok=True)
    shutil.copytree(WEIGHTS / "tokenizer", to / "weights" / "tokenizer", dirs_exist_ok=True)
    shutil.copy(WEIGHTS / "text.pt", to / "weights" / "text.pt")
    shutil.copy(FOLDER / "scale.pt", to / FOLDER.relative_to(OUT) / "scale.pt")
    for file in sorted(FOLDER.glob("latents-???.npy"))[: examples // SHARD]:
        captions = PICTURES / f"captions-{file.stem.split('-')[1]}.jsonl"
        for source in (file, captions):
            shutil.copy(source, to / source.relative_to(OUT))


def split_state(to: Path) -> None:
    state = load_state("unet.pt")
    to.mkdir(parents=True, exist_ok=True)
    whole = to / "whole"
    average = {k: v.half() if v.is_floating_point() else v for k, v in state["average"].items()}
    torch.save({"step": state["step"], "seen": state["seen"], "seconds": state["seconds"], "average": average}, whole)
    data = whole.read_bytes()
    for k in range(0, len(data), PIECE):
        (to / f"unet-{k // PIECE:02d}").write_bytes(data[k : k + PIECE])
    whole.unlink()


def join_state(source: Path) -> None:
    whole = WEIGHTS / "joined"
    whole.write_bytes(b"".join(file.read_bytes() for file in sorted(source.glob("unet-??"))))
    state = torch.load(whole, map_location="cpu")
    state["average"] = {k: v.float() if v.is_floating_point() else v for k, v in state["average"].items()}
    save_state(state | {"model": dict(state["average"])}, "unet.pt")
    whole.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["out", "state", "join"])
    parser.add_argument("--examples", type=int, default=25000)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--from", dest="source", type=Path)
    args = parser.parse_args()
    if args.what == "out":
        copy_data(args.to, args.examples)
    elif args.what == "state":
        split_state(args.to)
    else:
        join_state(args.source)
