"""
Takes training to a machine with a GPU and back, in pieces that fit what a call may carry.

    python pack.py out --shards 0-10 --to PACK         # a folder that serves as LIKENESS_OUT there, without the pictures: 5 MB a shard
    python pack.py state --to PACK                     # the U-Net so far (its average, f16)
    LIKENESS_OUT=PACK python unet.py --device cuda --batch 512 --hours 0.15
    LIKENESS_OUT=PACK python pack.py state --to DIR    # there, afterwards
    python pack.py join --from DIR                     # here: the average becomes the U-Net that training goes on with
"""

import argparse
import shutil
from pathlib import Path

import torch

import features
from latents import FOLDER
from paths import OUT, PICTURES, WEIGHTS, load_state, save_state

PIECE = 15 * 2**20  # bytes


def copy_data(to: Path, first: int, last: int) -> None:
    for name in (FOLDER, features.FOLDER, WEIGHTS / "tokenizer"):
        (to / name.relative_to(OUT)).mkdir(parents=True, exist_ok=True)
    (to / PICTURES.relative_to(OUT)).mkdir(parents=True, exist_ok=True)
    shutil.copytree(WEIGHTS / "tokenizer", to / "weights" / "tokenizer", dirs_exist_ok=True)
    shutil.copy(WEIGHTS / "text.pt", to / "weights" / "text.pt")
    shutil.copy(FOLDER / "scale.pt", to / FOLDER.relative_to(OUT) / "scale.pt")
    shutil.copy(features.FOLDER / "axes.pt", to / features.FOLDER.relative_to(OUT) / "axes.pt")
    for shard in range(first, last + 1):
        captions = PICTURES / f"captions-{shard:03d}.jsonl"
        for source in (FOLDER / f"latents-{shard:03d}.npy", features.file_of(shard), captions):
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
    parser.add_argument("--shards", default="0-10", help="first and last; PACKs with other shards go into the same folder there")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--from", dest="source", type=Path)
    args = parser.parse_args()
    if args.what == "out":
        copy_data(args.to, *map(int, args.shards.split("-")))
    elif args.what == "state":
        split_state(args.to)
    else:
        join_state(args.source)
