"""
Stage 3: the text encoder (CLIP's shape) and the scorer's image tower on latents. Contrastively (Radford et al. 2021, figure 3), and
both have to tell noun, colour, place and view, which they learn far sooner than what sets a picture apart from all others. A
caption's summary is the mean over its end token and the padding, so the average that cross-attention starts with is the caption.

    python text.py --steps 300
    python text.py --steps 1000 --tower    # later: the image tower alone; the U-Net has learnt the text encoder by heart
"""

import argparse
import os

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel

from examples import TOKENS, Examples
from paths import load_state, save_state

WIDTH = 192
TEXT = dict(
    hidden_act="quick_gelu",
    hidden_size=WIDTH,
    intermediate_size=4 * WIDTH,
    num_hidden_layers=4,
    num_attention_heads=6,
    max_position_embeddings=TOKENS,
    layer_norm_eps=1e-5,
    projection_dim=128,
)
TOWER = dict(
    _class_name="LatentImageTower",
    in_channels=8,
    block_out_channels=[64, 128, 192],
    norm_num_groups=16,
    projection_dim=128,
    logit_scale=14,
)


def text_model(tokenizer) -> CLIPTextModel:
    # The library's own end-of-text id (2) means "take the largest id" to it; hidden states do not depend on it.
    config = CLIPTextConfig(
        **TEXT,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    return CLIPTextModel(config)


class Scorer(nn.Module):
    """src-main/engine/models/latentTower.ts, with its names."""

    def __init__(self):
        super().__init__()
        widths, groups = TOWER["block_out_channels"], TOWER["norm_num_groups"]
        self.conv_in = nn.Conv2d(TOWER["in_channels"], widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList()
        inputs = widths[0]
        for i, width in enumerate(widths):
            block = nn.Module()
            block.resnets = nn.ModuleList(
                [ResnetBlock2D(in_channels=inputs, out_channels=width, temb_channels=None, groups=groups, eps=1e-5)]
            )
            if i < len(widths) - 1:
                block.downsamplers = nn.ModuleList([Downsample2D(width, use_conv=True, padding=1, name="conv")])
            self.down_blocks.append(block)
            inputs = width
        self.conv_norm_out = nn.GroupNorm(groups, inputs, eps=1e-5)
        self.visual_projection = nn.Linear(inputs, TOWER["projection_dim"], bias=False)
        self.text_projection = nn.Linear(WIDTH, TOWER["projection_dim"], bias=False)

    def images(self, latents: torch.Tensor) -> torch.Tensor:
        x = self.conv_in(latents)
        for block in self.down_blocks:
            x = block.resnets[0](x, None)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0](x)
        return self.visual_projection(F.silu(self.conv_norm_out(x)).mean((2, 3)))


def summary(hidden: torch.Tensor, ids: torch.Tensor, end: int) -> torch.Tensor:
    """Hidden states [b,t,d] → their mean from the end token on [b,d]."""
    share = (ids == end).float()
    return (hidden * (share / share.sum(1, keepdim=True)).unsqueeze(2)).sum(1)


class Heads(nn.Module):
    """What a caption says and a picture shows: a logit for each noun, colour, place and view."""

    def __init__(self, records: list[dict], width: int):
        super().__init__()
        self.values = {key: sorted({str(r[key]) for r in records if r.get(key)}) for key in ("noun", "color", "scene", "view")}
        self.linear = nn.ModuleDict({key: nn.Linear(width, len(values)) for key, values in self.values.items()})

    def loss(self, features: torch.Tensor, records: list[dict], said: list[str] | None) -> torch.Tensor:
        """Cross-entropies of what is known; of a caption (`said`), of what it says: its noun, and what follows from its words."""
        total = features.new_zeros(())
        for key, values in self.values.items():
            labels = []
            for row, record in enumerate(records):
                value = record.get(key)
                known = value and (said is None or key == "noun" or self.says(key, record, said[row]))
                labels.append(values.index(value) if known else -100)
            target = torch.tensor(labels)
            if (target >= 0).any():
                total = total + F.cross_entropy(self.linear[key](features), target, ignore_index=-100)
        return total

    @staticmethod
    def says(key: str, record: dict, caption: str) -> bool:
        if key == "scene":
            # Of a thing's captions, the fifth names no place (captions.ts).
            return record["noun"] is None or caption != record["captions"][4]
        return record[key] in caption


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--tower", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(5)
    examples = Examples(5)
    text, scorer = text_model(examples.tokenizer), Scorer()
    heads = nn.ModuleDict({"text": Heads(examples.records, WIDTH), "image": Heads(examples.records, TOWER["projection_dim"])})
    if args.tower:
        state = load_state("text.pt")
        text.load_state_dict(state["text"])
        scorer.load_state_dict(state["scorer"])
        text.requires_grad_(False)
    trained = [p for part in (text, scorer, heads) for p in part.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, args.rate, (0.9, 0.98), weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, args.steps, pct_start=0.1)
    end = examples.tokenizer.eos_token_id
    right = 0.0
    for step in range(args.steps):
        latents, records, wordings, _, _ = examples.draw(args.batch)
        ids = torch.tensor([examples.ids(wording) for wording in wordings])
        if args.tower:
            # What the U-Net draws is never as clean as an encoded picture.
            latents = latents + 0.4 * torch.rand(len(latents), 1, 1, 1) * torch.randn_like(latents)
        with torch.autocast("cpu", torch.bfloat16):
            caption = summary(text(ids).last_hidden_state, ids, end)
            told = scorer.text_projection(caption)
            seen = scorer.images(latents)
        logits = TOWER["logit_scale"] * F.normalize(seen.float(), dim=1) @ F.normalize(told.float(), dim=1).T
        # Pictures with the same words are right answers too.
        same = (ids.unsqueeze(0) == ids.unsqueeze(1)).all(2).float()
        target = same / same.sum(1, keepdim=True)
        contrast = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        spoken = heads["text"].loss(caption.float(), records, wordings)
        shown = heads["image"].loss(seen.float(), records, None)
        loss = contrast + spoken + shown
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        right += float((same.gather(1, logits.argmax(1, keepdim=True))).mean())
        if step % 50 == 49:
            parts = [round(float(part.detach()), 3) for part in (contrast, spoken, shown)]
            print(f"{step + 1} contrast, caption, picture {parts} right {right / 50:.3f}", flush=True)
            right = 0.0
    save_state({"text": text.state_dict(), "scorer": scorer.state_dict()}, "text.pt")


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
