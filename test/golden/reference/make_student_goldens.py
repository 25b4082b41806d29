"""python make_student_goldens.py: BK-SDM's students of the fixture teachers, as digests of their tensors.

Writes ../fixtures/students/<teacher>.json: kind -> {"<tensor>": "<shape> <SHA-256 of its bytes>"}. Then reads what `likeness
compress` wrote, where a folder is given: python make_student_goldens.py TEACHER STUDENT KIND.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from bk_students import KINDS, make_student

FIXTURES = Path(__file__).parent.parent / "fixtures"


def digests(state: dict, dtype: torch.dtype) -> dict[str, str]:
    return {
        name: f"{'x'.join(map(str, tensor.shape))} {hashlib.sha256(tensor.to(dtype).numpy().tobytes()).hexdigest()[:16]}"
        for name, tensor in sorted(state.items())
    }


def stored(folder: Path) -> tuple[UNet2DConditionModel, torch.dtype]:
    """The U-Net in float32, and the type that it has on disk."""
    state = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    return UNet2DConditionModel.from_pretrained(folder, subfolder="unet").float(), state["conv_in.weight"].dtype


if __name__ == "__main__":
    if len(sys.argv) == 4:
        teacher, dtype = stored(Path(sys.argv[1]))
        ours, _ = stored(Path(sys.argv[2]))
        wanted = digests(make_student(teacher, sys.argv[3]).state_dict(), dtype)
        print("same keys, same bits" if digests(ours.state_dict(), dtype) == wanted else "DIFFERENT")
        sys.exit()
    (FIXTURES / "students").mkdir(exist_ok=True)
    for name in ("tiny-sd1", "tiny-sd2"):
        teacher, dtype = stored(FIXTURES / "models" / name)
        students = {kind: digests(make_student(teacher, kind).state_dict(), dtype) for kind in KINDS}
        (FIXTURES / "students" / f"{name}.json").write_text(json.dumps(students, indent=1) + "\n")
        print(name, {kind: len(tensors) for kind, tensors in students.items()})
