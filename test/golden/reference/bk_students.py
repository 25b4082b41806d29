"""BK-SDM's students in diffusers: the reference for `likeness compress --to` (Kim et al. 2023; index maps as in their code)."""

import torch
from diffusers import UNet2DConditionModel

KINDS = ("bk-base", "bk-small", "bk-tiny")


def student_config(teacher: dict, kind: str) -> dict:
    # diffusers would put its defaults back in place of what this key names.
    config = {**teacher, "layers_per_block": 1, "_use_default_values": []}
    if kind != "bk-base":
        config["mid_block_type"] = None
    if kind == "bk-tiny":
        config["down_block_types"] = teacher["down_block_types"][:-1]
        config["up_block_types"] = teacher["up_block_types"][1:]
        for key in ("block_out_channels", "attention_head_dim"):
            config[key] = teacher[key][:-1] if isinstance(teacher[key], (list, tuple)) else teacher[key]
    return config


def index_map(kind: str, stages: int) -> dict[str, str]:
    """Student's prefix -> teacher's, where they differ."""
    shift = 1 if kind == "bk-tiny" else 0
    pairs = {}
    for block in range(stages):
        for part in ("resnets", "attentions"):
            pairs[f"up_blocks.{block}.{part}.0."] = f"up_blocks.{block + shift}.{part}.0."
            pairs[f"up_blocks.{block}.{part}.1."] = f"up_blocks.{block + shift}.{part}.2."
        pairs[f"up_blocks.{block}.upsamplers."] = f"up_blocks.{block + shift}.upsamplers."
    return pairs


@torch.no_grad()
def make_student(teacher: UNet2DConditionModel, kind: str) -> UNet2DConditionModel:
    student = UNet2DConditionModel.from_config(student_config(dict(teacher.config), kind))
    source = teacher.state_dict()
    pairs = index_map(kind, len(student.config.up_block_types))
    state = {}
    for name in student.state_dict():
        prefix = next((p for p in pairs if name.startswith(p)), None)
        state[name] = source[name if prefix is None else pairs[prefix] + name[len(prefix):]].clone()
    student.load_state_dict(state)
    return student
