"""python make_goldens.py: forward passes, features and gradients of the fixture models, computed in float64.

Writes ../fixtures/forward/<model>.safetensors and ../fixtures/gradients/<model>.safetensors; ../fixtures/README.md
says what each key is.
"""

from pathlib import Path

import torch
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import save_file

from tiny_models import FIXTURES, write_folder

HERE = Path(__file__).parent.parent / "fixtures"
LORA = {"unet": ["to_q", "to_v"], "text_encoder": ["q_proj", "v_proj"]}
RANK, ALPHA = 4, 7
WHOLE = (  # gradients kept whole; of every other trained tensor only the norm is kept
    "conv_in.bias", "conv_out.weight", "time_embedding.linear_1.weight", "time_embedding.linear_2.bias",
    "conv_norm_out.weight", "down_blocks.0.resnets.0.conv1.weight", "down_blocks.0.resnets.0.time_emb_proj.weight",
    "down_blocks.0.resnets.0.norm1.weight", "down_blocks.0.resnets.0.norm1.bias",
    "down_blocks.0.downsamplers.0.conv.weight", "down_blocks.1.resnets.0.conv_shortcut.weight",
    "down_blocks.0.attentions.0.proj_in.weight", "down_blocks.0.attentions.0.proj_out.bias",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.bias",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v.weight",
    "down_blocks.0.attentions.0.transformer_blocks.0.norm1.weight",
    "down_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj.weight",
    "mid_block.attentions.0.norm.weight", "up_blocks.0.upsamplers.0.conv.weight", "up_blocks.0.resnets.0.conv1.weight",
    "embeddings.token_embedding.weight", "embeddings.position_embedding.weight", "final_layer_norm.weight",
    "encoder.layers.0.self_attn.q_proj.weight", "encoder.layers.0.self_attn.out_proj.bias",
    "encoder.layers.0.layer_norm1.bias", "encoder.layers.1.mlp.fc1.weight", "encoder.layers.1.mlp.fc2.bias",
)


def single(tensors: dict) -> dict:
    return {
        name: (t.detach().float() if t.is_floating_point() else t.detach()).contiguous() for name, t in tensors.items()
    }


def inputs(family, vocabulary: int, size: int) -> dict:
    g = torch.Generator().manual_seed(100 + family.seed)
    ids = torch.randint(2, vocabulary - 2, (2, 77), generator=g)
    ids[:, 0], ids[0, 9:], ids[1, 30:] = vocabulary - 2, vocabulary - 1, 0 if family.sd2_text else vocabulary - 1
    ids[1, 29] = vocabulary - 1
    return {
        "input_ids": ids,
        "timesteps": torch.tensor([999, 37]),
        "latents": torch.randn(2, 4, size, size, generator=g),
        "noise": torch.randn(2, 4, size, size, generator=g),
        "image": torch.rand(2, 3, 2 * size, 2 * size, generator=g) * 2 - 1,
    }


def published(part: str, name: str) -> str:
    return f"text_encoder.text_model.{name}" if part == "text_encoder" else f"{part}.{name}"


@torch.no_grad()
def forward(text, unet, vae, batch: dict) -> dict:
    context = text(batch["input_ids"]).last_hidden_state
    latents = batch["latents"].double()
    odd = unet(latents[:, :, :5], 421, context).sample  # 5 is not divisible by the U-Net's reduction
    features = {}
    blocks = [(f"down_blocks.{i}", b) for i, b in enumerate(unet.down_blocks)]
    blocks += [("mid_block", unet.mid_block)] if unet.mid_block is not None else []
    blocks += [(f"up_blocks.{i}", b) for i, b in enumerate(unet.up_blocks)]
    hooks = [
        block.register_forward_hook(
            lambda _, __, out, name=name: features.update({f"unet.{name}": out[0] if isinstance(out, tuple) else out})
        )
        for name, block in blocks
    ]
    sample = unet(latents, batch["timesteps"], context).sample
    for hook in hooks:
        hook.remove()
    posterior = vae.encode(batch["image"].double()).latent_dist
    return {
        **batch, "text.last_hidden_state": context, "unet.sample": sample, "unet.odd_sample": odd, **features,
        "vae.mean": posterior.mean, "vae.logvar": posterior.logvar, "vae.decoded": vae.decode(latents).sample,
    }


def backward(text, unet, batch: dict, trained: dict) -> torch.Tensor:
    """One training loss, MSE(U-Net(latents, timesteps, text(input_ids)), noise), into the trained tensors' .grad."""
    context = text(batch["input_ids"]).last_hidden_state
    prediction = unet(batch["latents"].double(), batch["timesteps"], context).sample
    loss = torch.nn.functional.mse_loss(prediction, batch["noise"].double())
    for p in trained.values():
        p.grad = None
    loss.backward()
    return loss


def full_gradients(text, unet, batch: dict) -> dict:
    trained = {published("unet", n): p for n, p in unet.named_parameters()}
    trained |= {published("text_encoder", n): p for n, p in text.named_parameters()}
    loss = backward(text, unet, batch, trained)
    whole = {f"grad.{n}": p.grad for n, p in trained.items() if n.endswith(WHOLE)}
    return {"loss": loss, **whole, **{f"norm.{n}": p.grad.norm() for n, p in trained.items()}}


def lora_gradients(text, unet, batch: dict) -> dict:
    """Adapters with A and B both random, so that both have gradients."""
    g = torch.Generator().manual_seed(7)
    trained = {}
    for part, module in (("unet", unet), ("text_encoder", text)):
        inject_adapter_in_model(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=LORA[part]), module)
        for name, p in module.named_parameters():
            p.requires_grad_("lora_" in name)
            if p.requires_grad:
                p.data = (torch.randn(p.shape, generator=g) * (0.3 if "lora_A" in name else 0.1)).double()
                trained[published(part, name.replace(".default", ""))] = p
    loss = backward(text, unet, batch, trained)
    weights = {n: p.data for n, p in trained.items()}
    return {"lora.loss": loss, **{f"lora.{n}": t for n, t in weights.items()},
            **{f"lora.grad.{n}": p.grad for n, p in trained.items()}}


if __name__ == "__main__":
    for name, family in FIXTURES.items():
        text, unet, vae = (m.double() for m in write_folder(HERE / "models" / name, family))
        batch = inputs(family, text.config.vocab_size, family.sample_size)
        results = {"forward": forward(text, unet, vae, batch)}
        results["gradients"] = {
            **{k: batch[k] for k in ("input_ids", "timesteps", "latents", "noise")},
            **full_gradients(text, unet, batch), **lora_gradients(text, unet, batch),
        }
        for topic, tensors in results.items():
            (HERE / topic).mkdir(parents=True, exist_ok=True)
            metadata = {"lora_rank": str(RANK), "lora_alpha": str(ALPHA)} if topic == "gradients" else None
            save_file(single(tensors), HERE / topic / f"{name}.safetensors", metadata)
        print(name, *(f"{k} {results['forward'][k].std():.3f}" for k in ("text.last_hidden_state", "unet.sample", "vae.decoded")),
              f"loss {results['gradients']['loss']:.4f} lora {results['gradients']['lora.loss']:.4f}")
