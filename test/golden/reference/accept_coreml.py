"""Core ML exports, read by coremltools and computed operation by operation in torch, against diffusers.

A random LoRA is put into each model by `likeness export --format coreml` and by hand in torch. coremltools loads every package, its own
type inference runs over every operation, and what it infers is compared with what the package declares. Then the program is computed:
in float32 with the package's f16 weights, against diffusers with its weights rounded to f16; and once more with every f16 value rounded,
to see what computing in f16 costs. Needs `pip install coremltools==9.0` beside the rest; Core ML itself, which only a Mac has, runs nowhere here.
"""

import json
import math
import shutil
from pathlib import Path

import coremltools as ct
import numpy as np
import torch
import torch.nn.functional as F
from coremltools.converters.mil.frontend.milproto.load import load as load_program
from coremltools.converters.mil.mil import types
from diffusers import DDPMScheduler, StableDiffusionXLPipeline
from peft import LoraConfig, get_peft_model

from accept import Score, arguments, likeness, pipeline, relative_error, wanted
from lora_files import merge_peft

LIMIT, HALF_LIMIT, STEP = 1e-3, 5e-2, 500
FLOATS = {types.fp16: torch.float16, types.fp32: torch.float32}


def conv(x, weight, bias=None, strides=None, pad=None, dilations=None, groups=1, pad_type="custom"):
    assert pad_type == "custom"
    top, bottom, left, right = pad
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, strides, 0, dilations, groups)


def padded(x, pad, mode, constant_val):
    assert mode == "constant"
    pairs = np.reshape(pad, (-1, 2))[::-1]
    return F.pad(x, [int(n) for n in pairs.reshape(-1)], value=float(constant_val))


def sliced(x, begin, end):
    return x[tuple(slice(int(a), int(b)) for a, b in zip(begin, end))]


def upsampled(x, scale_factor_height, scale_factor_width):
    return F.interpolate(x, scale_factor=(float(scale_factor_height), float(scale_factor_width)), mode="nearest")


def cast(x, dtype):
    return {"int32": lambda: x.trunc().long(), "bool": x.bool}.get(dtype, x.float)()


def turned(x, turn):
    return x.transpose(-1, -2) if turn else x


OPERATIONS = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "real_div": lambda x, y: x / y,
    "less": lambda x, y: x < y, "equal": lambda x, y: x == y, "square": torch.square, "sqrt": torch.sqrt, "sin": torch.sin,
    "cos": torch.cos, "exp": torch.exp, "sigmoid": torch.sigmoid, "silu": F.silu, "tanh": torch.tanh, "relu": torch.relu,
    "erf": torch.erf, "identity": lambda x: x, "cast": cast, "conv": conv, "pad": padded, "slice_by_index": sliced,
    "gelu": lambda x, mode: F.gelu(x, approximate={"EXACT": "none"}[mode]),
    "softmax": lambda x, axis: x.softmax(int(axis)),
    "linear": lambda x, weight, bias=None: F.linear(x, weight, bias),
    "matmul": lambda x, y, transpose_x, transpose_y: turned(x, transpose_x) @ turned(y, transpose_y),
    "layer_norm": lambda x, axes, gamma, beta, epsilon: F.layer_norm(x, [x.shape[a] for a in axes], gamma, beta, float(epsilon)),
    "reduce_mean": lambda x, axes, keep_dims: x.mean([int(a) for a in axes], bool(keep_dims)),
    "reduce_sum": lambda x, axes, keep_dims: x.sum([int(a) for a in axes], bool(keep_dims)),
    "reduce_max": lambda x, axes, keep_dims: x.amax([int(a) for a in axes], bool(keep_dims)),
    "reshape": lambda x, shape: x.reshape([int(n) for n in shape]),
    "transpose": lambda x, perm: x.permute([int(n) for n in perm]),
    "tile": lambda x, reps: x.repeat([int(n) for n in reps]),
    "concat": lambda values, axis, interleave: torch.cat(values, int(axis)),
    "select": lambda cond, a, b: torch.where(cond, a, b),
    "gather": lambda x, indices, axis, batch_dims: x[indices.long()],
    "upsample_nearest_neighbor": upsampled,
}
# What these take is no tensor of the network: shapes, axes, flags.
SETTINGS = {"strides", "pad", "dilations", "groups", "pad_type", "mode", "dtype", "axis", "axes", "keep_dims", "shape", "perm", "reps", "begin",
            "end", "transpose_x", "transpose_y", "interleave", "batch_dims", "epsilon", "constant_val", "scale_factor_height",
            "scale_factor_width"}


class Package:
    def __init__(self, folder: Path):
        model = ct.models.MLModel(str(folder), skip_model_load=True)
        self.spec, self.weights = model.get_spec(), model.weights_dir
        self.program = load_program(self.spec, self.spec.specificationVersion, self.weights)
        self.main = self.program.functions["main"]

    def mistyped(self) -> list[str]:
        """Operations whose declared type is not what coremltools infers."""
        [block] = self.spec.mlProgram.functions["main"].block_specializations.values()
        inferred = {v.name: v for op in self.main.operations for v in op.outputs}
        wrong = []
        for operation in block.operations:
            for output in operation.outputs:
                kind, var = output.type.tensorType, inferred[output.name]
                shape = tuple(d.constant.size for d in kind.dimensions)
                if tuple(var.shape) != shape or types.PROTO_TO_BUILTIN_TYPE[kind.dataType] != var.dtype:
                    wrong.append(f"{operation.type} {output.name}: {kind.dataType}{shape}, inferred {var.dtype}{var.shape}")
        return wrong

    def compute(self, feeds: dict, rounding: bool) -> dict:
        def rounded(value, var):
            return value.half().float() if rounding and var.dtype == types.fp16 else value

        known = {name: rounded(feeds[name].float(), var) for name, var in self.main.inputs.items()}

        def tensor(var):
            if var.name in known:
                return known[var.name]
            value = torch.from_numpy(np.array(var.val))
            return value.float() if var.dtype in FLOATS else value

        for op in self.main.operations:
            if op.op_type == "const":
                continue
            inputs = {}
            for name, given in op.inputs.items():
                if name.startswith("_") or given is None:
                    continue
                if name in SETTINGS and not isinstance(given, (list, tuple)):
                    inputs[name] = given.val.tolist() if isinstance(given.val, np.ndarray) else given.val
                else:
                    inputs[name] = [tensor(v) for v in given] if isinstance(given, (list, tuple)) else tensor(given)
            [out] = op.outputs
            compute = OPERATIONS[op.op_type]
            known[out.name] = rounded(compute(inputs["x"]) if inputs.keys() == {"x"} else compute(**inputs), out)
        return {v.name: known[v.name] for v in self.main.outputs}


def apple_bars() -> np.ndarray:
    return DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod.double().numpy()


def own_step(scheduler) -> float:
    """Where the model's own schedule is as noisy as Apple's at STEP."""
    own = DDPMScheduler.from_config(scheduler.config).alphas_cumprod.double().numpy()
    with np.errstate(divide="ignore"):
        ratio = np.log(own / (1 - own))
    bar = apple_bars()[STEP]
    steps = np.arange(len(own))[np.isfinite(ratio)]
    return float(np.interp(-math.log(bar / (1 - bar)), -ratio[np.isfinite(ratio)], steps))


def as_noise(output, sample, scheduler):
    bar = apple_bars()[STEP]
    picture, noise = math.sqrt(bar), math.sqrt(1 - bar)
    return {
        "epsilon": lambda: output,
        "v_prediction": lambda: picture * output + noise * sample,
        "sample": lambda: (sample - picture * output) / noise,
    }[scheduler.config.prediction_type]()


def lora_for(pipe, folder: Path) -> None:
    generator = torch.Generator().manual_seed(4)
    parts = {"unet": (["to_q", "to_v", "conv1", "ff.net.0.proj"], pipe.unet), "text_encoder": (["q_proj", "fc1"], pipe.text_encoder)}
    for part, (targets, module) in parts.items():
        model = get_peft_model(module, LoraConfig(r=4, lora_alpha=6, target_modules=targets))
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
        model.save_pretrained(folder / part)


class Exports:
    def __init__(self, score: Score, model: Path, work: Path):
        self.score, self.name, self.model, self.work = score, model.name, model, work / model.name
        shutil.rmtree(self.work, ignore_errors=True)
        self.xl = (model / "text_encoder_2").exists()

    def open(self):
        return StableDiffusionXLPipeline.from_pretrained(self.model, torch_dtype=torch.float32) if self.xl else pipeline(self.model)

    def compare(self, part: str, feeds: dict, reference: dict) -> None:
        package = Package(self.out / f"{part}.mlpackage")
        wrong = package.mistyped()
        self.score.verdict(f"{self.name} {part}: {len(package.main.operations)} operations, mistyped {len(wrong)} {wrong[:2]}", not wrong)
        shapes = {f.name: list(f.type.multiArrayType.shape) for f in package.spec.description.input}
        self.score.verdict(f"{self.name} {part}: inputs {shapes}", shapes == {n: list(v.shape) for n, v in feeds.items()})
        for rounding, limit, how in ((False, LIMIT, "in f32"), (True, HALF_LIMIT, "rounded to f16")):
            results = package.compute(feeds, rounding)
            for name, expected in reference.items():
                self.score.limit(f"{self.name} {part} {name} {how}", relative_error(results[name], expected), limit)

    @torch.no_grad()
    def all(self) -> None:
        lora_for(self.open(), self.work / "lora")
        self.out = self.work / "coreml"
        outcome = likeness("export", "--model", self.model, "--lora", self.work / "lora", "--format", "coreml", "--out", self.out)
        if not self.score.ran(f"{self.name} export", outcome):
            return
        print("    ", json.dumps(outcome.of("done")[0]))
        pipe = self.open()
        merge_peft(self.work / "lora", pipe.unet, pipe.text_encoder, 1.0)
        halves = ("unet", "text_encoder") if self.xl else ("unet", "text_encoder", "vae")
        for part in (*halves, *(["text_encoder_2"] if self.xl else [])):
            getattr(pipe, part).half().float()
        generator = torch.Generator().manual_seed(1)
        noise = lambda *shape: torch.randn(shape, generator=generator).half().float()  # noqa: E731

        def ids(tokenizer):
            return tokenizer("a photo of sks dog", padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt").input_ids

        tokens = ids(pipe.tokenizer)
        if self.xl:
            first = pipe.text_encoder(tokens, output_hidden_states=True)
            self.compare("TextEncoder", {"input_ids": tokens}, {"hidden_embeds": first.hidden_states[-2], "pooled_outputs": first.pooler_output})
            tokens = ids(pipe.tokenizer_2)
            second = pipe.text_encoder_2(tokens, output_hidden_states=True)
            self.compare("TextEncoder2", {"input_ids": tokens}, {"hidden_embeds": second.hidden_states[-2], "pooled_outputs": second.text_embeds})
        else:
            self.compare("TextEncoder", {"input_ids": tokens}, {"last_hidden_state": pipe.text_encoder(tokens)[0]})

        unet, vae = pipe.unet.config, pipe.vae.config
        side = unet.sample_size if isinstance(unet.sample_size, int) else unet.sample_size[0]
        sample, context = noise(2, unet.in_channels, side, side), noise(2, tokens.shape[1], unet.cross_attention_dim)
        added = {}
        if self.xl:
            width = unet.projection_class_embeddings_input_dim - 6 * unet.addition_time_embed_dim
            added = {"text_embeds": noise(2, width), "time_ids": torch.tensor([[64.0, 48, 8, 0, 64, 64], [512, 512, 0, 0, 512, 512]])}
        output = pipe.unet(sample, torch.tensor(own_step(pipe.scheduler)), context, **({"added_cond_kwargs": added} if added else {})).sample
        states = context.transpose(1, 2).unsqueeze(2)
        feeds = {"sample": sample, "timestep": torch.full((2,), float(STEP)), "encoder_hidden_states": states, **added}
        self.compare("Unet", feeds, {"noise_pred": as_noise(output, sample, pipe.scheduler)})

        factor = (0.13025 if self.xl else 0.18215) / vae.scaling_factor
        z = noise(1, vae.latent_channels, side, side)
        self.compare("VAEDecoder", {"z": z}, {"image": pipe.vae.decode(z * factor).sample})
        encoder = (self.out / "VAEEncoder.mlpackage").exists()
        self.score.verdict(f"{self.name} VAEEncoder {encoder}, {vae.latent_channels} channels", encoder == (vae.latent_channels == 4))
        if encoder:
            size = side * 2 ** (len(vae.block_out_channels) - 1)
            x = noise(1, 3, size, size)
            posterior = pipe.vae.encode(x).latent_dist
            moments = [posterior.mean / factor, posterior.logvar - 2 * math.log(factor)]
            self.compare("VAEEncoder", {"x": x}, {"latent": torch.cat(moments, 1)})
        for name in ("vocab.json", "merges.txt"):
            self.score.verdict(f"{self.name} {name}", (self.out / name).exists())


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    for index in sorted(models.glob("*/model_index.json")):
        if wanted(index.parent.name, filters):
            Exports(score, index.parent, work).all()
    score.finish()
