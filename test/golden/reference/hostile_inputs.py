"""More broken inputs, as somebody would make them who wants to see `likeness` fall; and odd ones that are valid."""

import io
import json
import os
import pickle
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from accept import COMMAND
from broken_inputs import FINETUNE, GENERATE, WEIGHTS, Cases, Payload, edit, edit_tensor, header, value, write_header

UNET, TEXT, VAE = (f"{part}/{WEIGHTS[part]}" for part in ("unet", "text_encoder", "vae"))


def sparse(size: int, start: bytes = b""):
    def damage(file: Path) -> None:
        file.write_bytes(start)
        os.truncate(file, size)

    return damage


def fifo(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def link(target):
    def damage(file: Path) -> None:
        file.unlink(missing_ok=True)
        file.symlink_to(target)

    return damage


def renamed(change):
    """The tensors under other names."""

    def damage(file: Path) -> None:
        save_file({change(n): t for n, t in load_file(file).items()}, file)

    return damage


def retyped(dtype):
    return lambda file: save_file({n: t.to(dtype) for n, t in load_file(file).items()}, file)


def config(**change):
    """A damage of a config file: keys set; `...` takes one away."""

    def damage(file: Path) -> None:
        keys = json.loads(file.read_text()) | change
        file.write_text(json.dumps({k: v for k, v in keys.items() if v is not ...}))

    return damage


def put(text):
    return lambda file: file.write_bytes(text if isinstance(text, bytes) else text.encode())


def only(keys: dict):
    return put(json.dumps(keys))


def hole(file: Path) -> None:
    tensors, body = header(file)
    for entry in tensors.values():
        if "data_offsets" in entry:
            entry["data_offsets"] = [o + 64 for o in entry["data_offsets"]]
    write_header(file, tensors, bytes(64) + body)


def twice(file: Path) -> None:
    tensors, body = header(file)
    text = json.dumps(tensors)
    name = next(n for n in tensors if n != "__metadata__")
    write_header(file, (text[:-1] + f", {json.dumps(name)}: {json.dumps(tensors[name])}}}").encode(), body)


def extra(name: str, **entry):
    """A further tensor in the header, as the file says it."""
    return edit(lambda h, n: h.update({name: entry}))


def crowd(file: Path) -> None:
    """Three hundred thousand tensors without elements."""
    tensors, body = header(file)
    end = len(body)
    tensors |= {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [end, end]} for i in range(300_000)}
    write_header(file, tensors, body)


SAFETENSORS = {
    "length 2^63": lambda f: f.write_bytes(struct.pack("<Q", 1 << 63) + f.read_bytes()[8:]),
    "length 2^53+1": lambda f: f.write_bytes(struct.pack("<Q", (1 << 53) + 1) + f.read_bytes()[8:]),
    "bytes past the end": lambda f: f.write_bytes(f.read_bytes() + b"more"), "a hole": hole, "a name twice": twice,
    "metadata numbers": edit(lambda h, n: h.update(__metadata__={"a": 1})), "metadata a list": edit(lambda h, n: h.update(__metadata__=[])),
    "name of many lines": extra("a\n    at b (c:1:2)\nc" * 20, dtype="F31", shape=[1], data_offsets=[0, 4]),
    "name with escapes": extra("\x1b[2J\x07\0evil", dtype="F31", shape=[1], data_offsets=[0, 4]),
    "name of a megabyte": extra("x" * 1_000_000, dtype="F31", shape=[1], data_offsets=[0, 4]),
    "name __proto__": extra("__proto__", dtype="F31", shape=[1], data_offsets=[0, 4]), "a crowd and a cut": lambda f: (crowd(f), f.write_bytes(f.read_bytes()[:-9])),
    "lower-case dtype": edit(lambda h, n: h[n].update(dtype="f32")), "dtype null": edit(lambda h, n: h[n].update(dtype=None)),
    "three offsets": edit(lambda h, n: h[n].update(data_offsets=[0, 4, 8])), "offset a fraction": edit(lambda h, n: h[n].update(data_offsets=[0.5, 64])),
    "shape nested": edit(lambda h, n: h[n].update(shape=[[1], 2])), "shape of 10^5 axes": edit(lambda h, n: h[n].update(shape=[1] * 100_000)),
    "shape empty": edit(lambda h, n: h[n].update(shape=[])), "shape with zero": edit(lambda h, n: h[n].update(shape=[0, 4], data_offsets=[0, 0])),
    "shape overflows": edit(lambda h, n: h[n].update(shape=[1 << 52, 1 << 52, 1 << 52])), "nothing but zeros": sparse(4096), "sparse 3 GB": sparse(3 << 30),
    "a pipe": fifo, "a loop": link("diffusion_pytorch_model.safetensors"), "a link to nothing": link("/nowhere/at.all"), "a device": link("/dev/zero"),
    "doubles": retyped(torch.float64), "bytes": retyped(torch.int8), "integers": retyped(torch.int32), "f8": retyped(torch.float8_e4m3fn),
    "all names in capitals": renamed(str.upper), "a prefix": renamed(lambda n: f"module.{n}"),
    "all infinite in f16": lambda f: save_file({n: torch.full_like(t, float("inf")).half() for n, t in load_file(f).items()}, f),
    "one bf16 nan": edit_tensor(lambda t, n: t.update({n: torch.full_like(t[n], float("nan")).bfloat16()})),
}

UNET_CONFIG = {
    "channels as texts": config(block_out_channels=["8", "16", "16"]), "layers a text": config(layers_per_block="1"),
    "channels with null": config(block_out_channels=[8, None, 16]), "eps zero": config(norm_eps=0), "eps negative": config(norm_eps=-1e-5),
    "groups 2^31": config(norm_num_groups=1 << 31), "sample size negative": config(sample_size=-8), "sample size a text": config(sample_size="64"),
    "eps NaN": lambda f: f.write_text(f.read_text().replace("1e-05", "NaN")), "eps infinite": lambda f: f.write_text(f.read_text().replace("1e-05", "Infinity")),
    "heads a list too short": config(attention_head_dim=[4, 4]), "context a list too long": config(cross_attention_dim=[16] * 9),
    "down types mixed up": config(down_block_types=["DownBlock2D"] * 3), "up types too few": config(up_block_types=["CrossAttnUpBlock2D"]),
    "transformer layers 64": config(transformer_layers_per_block=64), "out channels 8": config(out_channels=8), "latents of 16 channels": config(in_channels=16, out_channels=16),
    "controlnet": config(_class_name="ControlNetModel"), "motion": config(_class_name="UNetMotionModel"), "class a number": config(_class_name=7),
    "class of many lines": config(_class_name="A\n  at b\nC" * 99), "prototype": put('{"__proto__": {"in_channels": 9}, "block_out_channels": 1}'),
    "utf-16": lambda f: f.write_bytes(f.read_text().encode("utf-16")), "deep": put("[" * 500_000), "70 MB": sparse(70_000_000), "2 GB": sparse(2 << 30),
    "a pipe": fifo, "a device": link("/dev/zero"), "a loop": link("config.json"), "an image": lambda f: Image.new("RGB", (9, 9)).save(f, "PNG"),
}
OTHER_CONFIG = {
    "text_encoder/config.json": {
        "t5": only({"model_type": "t5", "d_model": 4096, "architectures": ["T5EncoderModel"]}), "llama": only({"model_type": "llama", "hidden_size": 4096, "architectures": ["LlamaForCausalLM"]}),
        "hidden a text": config(hidden_size="32"), "hidden 0": config(hidden_size=0), "hidden negative": config(hidden_size=-32), "hidden huge": config(hidden_size=1 << 40),
        "layers 10^9": config(num_hidden_layers=10**9), "heads 7": config(num_attention_heads=7), "activation": config(hidden_act="sorcery"),
        "positions 10^6": config(max_position_embeddings=10**6), "positions 5": config(max_position_embeddings=5), "vocabulary 3": config(vocab_size=3), "more layers": config(num_hidden_layers=9),
    },
    "vae/config.json": {
        "flux": config(shift_factor=0.1159, latent_channels=16), "sd3": config(latents_mean=[0.0] * 4), "tiny autoencoder": config(_class_name="AutoencoderTiny"),
        "factor a text": config(scaling_factor="0.18215"), "factor zero": config(scaling_factor=0), "factor tiny": config(scaling_factor=1e-300), "factor negative": config(scaling_factor=-1),
        "other channels": config(block_out_channels=[64, 64]), "in channels 4": config(in_channels=4), "latent channels 16": config(latent_channels=16), "unknown block": config(up_block_types=["MagicBlock"] * 4),
    },
    "scheduler/scheduler_config.json": {
        "flow matching": config(_class_name="FlowMatchEulerDiscreteScheduler"), "edm": config(_class_name="EDMEulerScheduler"), "betas texts": config(beta_start="0.1"),
        "beta over one": config(beta_end=2), "beta negative": config(beta_start=-1), "10^9 steps": config(num_train_timesteps=10**9), "steps a text": config(num_train_timesteps="1000"),
        "steps zero": config(num_train_timesteps=0), "offset 10^9": config(steps_offset=10**9), "no trained betas": config(trained_betas=[]), "betas beyond": config(trained_betas=[0.5, 3]),
        "prediction": config(prediction_type="flow"), "spacing": config(timestep_spacing="magic"), "class null": config(_class_name=None), "five timesteps": config(num_train_timesteps=5),
        "a pipe": fifo, "missing": lambda f: f.unlink(), "a list": put("[]"),
    },
    "tokenizer/vocab.json": {
        "cut": lambda f: f.write_bytes(f.read_bytes()[: f.stat().st_size // 2]), "negative ids": put('{"a": -1, "b</w>": 1}'), "fractions": put('{"a": 1.5}'), "absurd ids": put('{"a": 1e15}'),
        "two words": put('{"a": 0, "a</w>": 1}'), "ids beyond the encoder": lambda f: f.write_text(json.dumps({w: i + 10**6 for w, i in json.loads(f.read_text()).items()})),
        "half the words": lambda f: f.write_text(json.dumps(dict(list(json.loads(f.read_text()).items())[::2]))), "sparse 3 GB": sparse(3 << 30), "a pipe": fifo, "noise": put(random.Random(5).randbytes(999)),
    },
    "tokenizer/merges.txt": {
        "three words": put("#version\na b c\n"), "unknown words": put("#version\nqqqq zzzz\n"), "empty": put(""), "cut": lambda f: f.write_bytes(f.read_bytes()[: f.stat().st_size // 2 + 1]),
        "sparse 3 GB": sparse(3 << 30), "a pipe": fifo, "a folder": lambda f: (f.unlink(), f.mkdir()), "noise": put(random.Random(6).randbytes(9999)),
    },
    "tokenizer/tokenizer_config.json": {"broken": put("{"), "a list": put("[1]"), "length a text": config(model_max_length="77"), "a pipe": fifo, "end unknown": config(eos_token="<|nowhere|>"), "decoder": config(added_tokens_decoder={"x": {"content": 3}})},
    "tokenizer/tokenizer.json": {"bert": only({"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "[CLS]": 1}}}), "unigram": only({"model": {"type": "Unigram", "vocab": [["a", 0.1]]}}), "broken": put("{"), "empty": only({})},
    "model_index.json": {"xl": config(_class_name="StableDiffusionXLPipeline", text_encoder_2=["transformers", "CLIPTextModelWithProjection"]), "sd3": config(_class_name="StableDiffusion3Pipeline"), "list": put("[]"),
                         "inpaint": config(_class_name="StableDiffusionInpaintPipeline"), "class a number": config(_class_name=3), "2 GB": sparse(2 << 30)},
}
VALID_OTHER = {("tokenizer/tokenizer_config.json", "end unknown"), ("model_index.json", "list"), ("tokenizer/merges.txt", "empty"), ("vae/config.json", "in channels 4"),
               ("scheduler/scheduler_config.json", "five timesteps")}


class Hostile(Cases):
    def change(self, name: str, file: str, damage, command=("generate", *GENERATE)) -> None:
        self.with_model(name, lambda model: damage(model / file), command)

    def safetensors(self) -> None:
        for i, (name, damage) in enumerate(SAFETENSORS.items()):
            file = (UNET, VAE, TEXT)[i % 3] if "loop" not in name else UNET
            self.change(f"{file.split('/')[0]} file {name}", file, damage)
        for file in (UNET, VAE, TEXT):
            for kind, x in (("nan", float("nan")), ("inf", float("inf"))):
                self.change(f"{kind} in {file}", file, value(x))
                if file != VAE:
                    self.change(f"finetune: {kind} in {file}", file, value(x), ("finetune", "--replay", self.replay_file({}), "--steps", 2))
        for damage, name in ((SAFETENSORS["length 2^63"], "2^63"), (SAFETENSORS["a pipe"], "pipe"), (SAFETENSORS["sparse 3 GB"], "sparse")):
            def prepare(folder, d=damage):
                d(folder / "x.safetensors")
                return ["inspect", folder / "x.safetensors"]

            (self.room / "none").mkdir(exist_ok=True)
            self.add(f"inspect {name}", lambda f, p=prepare: [(f / "x.safetensors").write_bytes(b""), p(f)][1])

    def shards(self) -> None:
        def index(shard, own=True):
            def damage(model: Path) -> None:
                file = model / UNET
                tensors = load_file(file)
                file.rename(file.parent / "shard-1.safetensors")
                text = shard if isinstance(shard, str) and shard.startswith("{") else json.dumps({"weight_map": {n: shard for n in tensors} if own else shard})
                (file.parent / "diffusion_pytorch_model.safetensors.index.json").write_text(text)

            return damage

        for name, shard in {"to passwd": "../../../../../../etc/passwd", "absolute": "/etc/passwd", "to itself": "diffusion_pytorch_model.safetensors.index.json", "a folder up": "..", "missing": "shard-9.safetensors",
                            "backslashes": "..\\..\\secret", "a number": 7, "empty": "", "nul": "a\0b", "long": "x" * 5000, "cut": '{"weight_map": {'}.items():
            self.with_model(f"index {name}", index(shard))
        self.with_model("index without map", index(None, own=False))
        self.with_model("index with a list", index([], own=False))
        self.with_model("index promises more", index({"nowhere.weight": "shard-1.safetensors"}, own=False))

        def loop(model: Path) -> None:
            index("loop.safetensors")(model)
            (model / "unet" / "loop.safetensors").symlink_to("loop.safetensors")

        self.with_model("index to a loop", loop)

    def configs(self) -> None:
        for name, damage in UNET_CONFIG.items():
            self.change(f"unet config {name}", "unet/config.json", damage)
        for file, damages in OTHER_CONFIG.items():
            for name, damage in damages.items():
                good = (file, name) in VALID_OTHER
                self.with_model(f"{file} {name}", lambda m, d=damage, p=file: d(m / p))
                if good:
                    self.all[-1] = (*self.all[-1], True)
        self.with_model("sample size 2^20", lambda m: config(sample_size=1 << 20)(m / "unet/config.json"), ("generate", "--prompt", "a", "--steps", 2))
        for name, files in {"llm": {"config.json": '{"model_type": "llama"}', "model.safetensors": ""}, "flux": {"model_index.json": '{"_class_name": "FluxPipeline"}', "transformer/config.json": "{}"},
                            "a website": {"index.html": "<html>"}, "a repository": {"README.md": "# hi", ".git/config": ""}, "only a unet": {"unet/config.json": "{}"}}.items():
            def prepare(folder, files=files):
                for path, text in files.items():
                    (folder / "m" / path).parent.mkdir(parents=True, exist_ok=True)
                    (folder / "m" / path).write_text(text)
                return ["generate", "--model", folder / "m", *GENERATE]

            self.add(f"folder of {name}", prepare)
        for name, keys in {"sdxl": ["conditioner.embedders.0.transformer.text_model.embeddings.position_ids", "model.diffusion_model.input_blocks.0.0.weight"], "flux": ["double_blocks.0.img_attn.qkv.weight"],
                           "sd3": ["model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight"], "t5": ["encoder.block.0.layer.0.SelfAttention.q.weight"], "llm": ["model.layers.0.self_attn.q_proj.weight"],
                           "a vae": ["decoder.conv_in.weight", "encoder.conv_in.weight"], "an embedding": ["emb_params"], "half a model": ["model.diffusion_model.input_blocks.0.0.weight"]}.items():
            def prepare(folder, keys=keys):
                save_file({k: torch.randn(4, 4) for k in keys}, folder / "one.safetensors")
                return ["generate", "--model", folder / "one.safetensors", *GENERATE]

            self.add(f"single file of {name}", prepare)
        for path in ("/dev/null", "/dev/zero", "/etc", "/etc/passwd", "/proc/self", "", "x" * 300, "x/" * 3000, "a\nb"):
            self.add(f"model {path[:12]!r}", lambda f, p=path: ["generate", "--model", p, *GENERATE])

    def pickles(self) -> None:
        touch, mark = f"touch {self.marker}", repr(str(self.marker))
        text = lambda name: b"\x8c" + bytes([len(name)]) + name.encode()  # noqa: E731
        call = lambda module, name, *args: b"\x80\x04" + text(module) + text(name) + b"\x93" + b"(" + b"".join(text(a) for a in args) + b"tR."  # noqa: E731
        nested = pickle.dumps(Payload(os.system, touch), protocol=2)
        pickles = {
            "protocol 0": f"cposix\nsystem\n(S'{touch}'\ntR.".encode(), "instance opcode": f"(S'{touch}'\niposix\nsystem\n.".encode(), "object opcode": b"(cposix\nsystem\n" + b"\x8c\x04true" + b"o.",
            "posix.system by stack": call("posix", "system", touch), "builtins.eval by stack": call("builtins", "eval", f"open({mark},'w')"), "getattr": call("builtins", "getattr", "os", "system"),
            "subprocess": call("subprocess", "getoutput", touch), "runpy": call("runpy", "_run_code", touch), "torch.load": call("torch", "load", "x"), "bytes as storage": b"\x80\x02ctorch.storage\n_load_from_bytes\n(" + b"B" + struct.pack("<I", len(nested)) + nested + b"tR.",
            "rebuild of a name": call("torch._utils", "_rebuild_device_tensor_from_numpy", "os"), "type of a name": b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cposix\nsystem\n\x8c\x01a\x8c\x01b}tR.", "extension": b"\x80\x02\x82\x01.",
            "huge memo": b"\x80\x02" + b"".join(b"Nr" + struct.pack("<I", 2**32 - 1 - i) + b"0" for i in range(300_000)) + b"}.", "a list in itself": b"\x80\x02]q\0h\0a.", "a dict in itself": b"\x80\x02}q\0X\x01\0\0\0ah\0s.",
            "a doubling tuple": b"\x80\x02)" + b"2\x86" * 500_000 + b".", "deep lists": b"\x80\x02" + b"(" * 2_000_000 + b"l" * 2_000_000 + b".", "text of 2^63 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 63) + b"a.",
            "bytes of 4 GB": b"\x80\x03B" + struct.pack("<I", 2**32 - 1) + b"a.", "negative long": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"a.", "recall of nothing": b"\x80\x02h\x63.", "pop of nothing": b"\x80\x02000.", "no end": b"\x80\x02" + b"N" * 1000,
        }

        def zipped(data: bytes, how=zipfile.ZIP_STORED, more=()) -> bytes:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", how) as z:
                z.writestr("archive/data.pkl", data)
                for path, content in more:
                    z.writestr(path, content)
            return out.getvalue()

        def tensor(shape, strides, key="0", storage="FloatStorage", elements=4, offset=0) -> bytes:
            """A pickle of a dict with one tensor that says these things of itself."""
            number = lambda n: b"\x8a\x09" + int(n).to_bytes(9, "little", signed=True)  # noqa: E731
            numbers = lambda ns: b"(" + b"".join(number(n) for n in ns) + b"t"  # noqa: E731
            place = b"(" + text("storage") + f"ctorch\n{storage}\n".encode() + text(key) + text("cpu") + number(elements) + b"tQ"
            return b"\x80\x02}" + text("conv_in.weight") + b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + number(offset) + numbers(shape) + numbers(strides) + b"\x89}tRs."

        store = [("archive/data/0", bytes(16))]
        archives = {
            "a zip bomb": zipped(b"]" * 300_000_000, zipfile.ZIP_DEFLATED), "a compressed zip": zipped(b"}.", zipfile.ZIP_DEFLATED), "nested zips": zipped(zipped(zipped(b"}.")))
            , "tensor beyond its storage": zipped(tensor([1 << 40], [1]), more=store), "negative sizes": zipped(tensor([-4], [1]), more=store), "negative offset": zipped(tensor([4], [1], offset=-8), more=store),
            "overflowing sizes": zipped(tensor([1 << 32, 1 << 32], [1, 1]), more=store), "strides of zero": zipped(tensor([8, 4, 3, 3], [0, 0, 0, 0]), more=store), "a storage elsewhere": zipped(tensor([4], [1], key="../../../../etc/passwd"), more=store),
            "a storage that is not there": zipped(tensor([4], [1], key="7"), more=store), "a storage that lies": zipped(tensor([4], [1], elements=1 << 50), more=store), "doubles": zipped(tensor([2], [1], storage="DoubleStorage", elements=2), more=store),
            "names outside": zipped(b"}.", more=[("../../../../tmp/evil", b"x")]), "no tensors": zipped(b"}."), "many entries": zipped(b"}", more=[(f"archive/data/{i}", b"") for i in range(20_000)]),
        }
        for name, data in pickles.items():
            archives[f"pickle {name}"] = zipped(data)
        for i, (name, data) in enumerate(archives.items()):
            if i % 2:
                def prepare(folder, d=data):
                    (folder / "model.ckpt").write_bytes(d)
                    return ["generate", "--model", folder / "model.ckpt", *GENERATE]

                self.add(f"ckpt: {name}", prepare)
            else:
                def damage(model, d=data):
                    (model / UNET).unlink()
                    (model / "unet" / "diffusion_pytorch_model.bin").write_bytes(d)

                self.with_model(f"bin: {name}", damage)
        for name, data in pickles.items():
            if not name.startswith("protocol"):
                continue
            self.add(f"inspect: {name}", lambda f, d=data: [(f / "x.ckpt").write_bytes(d), ["inspect", f / "x.ckpt"]][1])

        def peft(folder: Path):
            part = folder / "l" / "unet"
            part.mkdir(parents=True)
            (part / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["to_q"]}')
            (part / "adapter_model.bin").write_bytes(zipped(pickle.dumps(Payload(os.system, touch), protocol=2)))
            return ["generate", "--model", self.model, *GENERATE, "--lora", folder / "l"]

        self.add("peft folder with a pickle that calls", peft)

    def options(self) -> None:
        for line in ("--seed -1", "--seed 9007199254740993", "--seed 0x10", "--seed 1.5", "--seed=", "--count 1e9", "--count 1000000000", "--batch 1000000000", "--steps 1000000", "--steps ''", "--steps=-1", "--steps +Infinity", "--guidance 1e308",
                     "--guidance -1e308", "--guidance inf", "--size 100000x64", "--size 64x", "--size x64", "--size 64x64x64", "--size 64.5x64", "--size 1e3x64", "--size 65x65", "--size 8x", "--size NaNxNaN",
                     "--lora x.safetensors:nan", "--lora /nowhere:1e999", "--lora /nowhere:0.5", "--lora /etc:1", "--lora /dev/null", "--lora /dev/zero", "--lora", "--scheduler", "--scheduler PNDMScheduler", "--provider", "--provider CPU0",
                     "--provider cuda", "--provider dml", "--provider coreml", "--json=yes", "-x", "---steps 3", "--steps 5 6", "--no-steps", "--latents /dev/zero", "--latents /etc", "--prompts /etc", "--prompts /dev/null", "--recipe /dev/null"):
            self.with_option(f"generate {line}", *[w.strip("'") for w in line.split()])
        for text in ("", "\0\1\2", "\n\n  \n\t\n"):
            self.add(f"prompts file {text!r}", lambda f, t=text: [(f / "p.txt").write_text(t), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1]][1])
        self.add("prompts binary", lambda f: [(f / "p.txt").write_bytes(random.Random(8).randbytes(4000)), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1]][1])
        self.add("prompts 3 GB", lambda f: [sparse(3 << 30)(f / "p.txt"), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1]][1])
        self.add("prompts a pipe", lambda f: [fifo(f / "p.txt"), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1]][1])
        self.add("latents a pipe", lambda f: [fifo(f / "l"), ["generate", "--model", self.model, *GENERATE, "--latents", f / "l"]][1])
        for name, out in {"a file": "file", "below a file": "file/below", "unwritable": "/proc/likeness", "too long": "x" * 300, "nothing": "", "many lines": "/proc/a\nb"}.items():
            def prepare(folder, out=out):
                (folder / "file").write_text("precious")
                return ["generate", "--model", self.model, *GENERATE, "--out", out if out.startswith("/") or not out else folder / out]

            self.add(f"out {name}", prepare)
            self.add(f"finetune out {name}", lambda f, p=prepare: ["finetune", "--model", self.model, "--replay", self.replay_file({}), "--steps", 2, *p(f)[-2:]])
        self.add("save-latents below a file", lambda f: [(f / "x").write_text(""), ["generate", "--model", self.model, *GENERATE, "--save-latents", f / "x" / "y.safetensors"]][1])
        self.add("save-latents a folder", lambda f: ["generate", "--model", self.model, *GENERATE, "--save-latents", f])
        for line in ("bench --latents 7", "bench --repeat 0", "bench --threads -1", "bench --threads 1000000", "bench --batch 1000000", "bench --model /nowhere", "bench --part sorcery", "inspect", "inspect a b", "inspect /dev/zero", "inspect /etc/passwd", "inspect /etc",
                     "export", "export --run /etc", "quickstart --photos /nowhere --class dog", "quickstart --photos /etc", "doctor --colour", "doctor extra", "finetune", "finetune --photos", "--json", "-h -x"):
            if line != "-h -x":
                self.add(f"command {line}", lambda f, l=line: l.split())

    def photos(self) -> None:
        def picture(image: Image.Image, kind: str, **options) -> bytes:
            out = io.BytesIO()
            image.save(out, kind, **options)
            return out.getvalue()

        def chunk(kind: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        noise = Image.fromarray(np.random.default_rng(2).integers(0, 255, (60, 80, 3), dtype=np.uint8))
        png = picture(noise, "PNG")
        blank = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(3751 * 30000), 9)) + chunk(b"IEND", b"")
        wide = chunk(b"IHDR", struct.pack(">IIBBBBB", 65535, 1, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(1 + 3 * 65535))) + chunk(b"IEND", b"")
        sign = b"\x89PNG\r\n\x1a\n"
        bad = {
            "decompression bomb": {"a.png": sign + blank}, "65535 wide": {"a.png": sign + wide}, "png with wrong check sums": {"a.png": png[:60] + bytes([png[60] ^ 255]) + png[61:]}, "png without end": {"a.png": png[:-30]},
            "gif header": {"a.gif": b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf7\0\0"}, "webp header": {"a.webp": b"RIFF\x24\0\0\0WEBPVP8 "}, "tiff in circles": {"a.tif": b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8)},
            "heic": {"a.heic": struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic"}, "a pdf as jpg": {"a.jpg": b"%PDF-1.7\n" + bytes(200)}, "a bmp": {"a.bmp": picture(noise, "BMP")}, "only hidden": {".a.png": png}, "mac's leavings": {"._a.jpg": b"\0\5\x16\7"},
            "a zip as jpg": {"a.jpg": b"PK\3\4" + bytes(100)}, "an avif header": {"a.avif": struct.pack(">I", 24) + b"ftypavif\0\0\0\0mif1avif"},
        }
        good = {
            "40 megapixels": {"a.jpg": picture(noise.resize((7300, 5500)), "JPEG")}, "cmyk": {"a.jpg": picture(noise.convert("CMYK"), "JPEG")}, "png named jpg": {"a.jpg": png}, "animated gif": {"a.gif": picture(noise.convert("P"), "GIF", save_all=True, append_images=[noise.convert("P")])},
            "1x1": {"a.png": picture(noise.resize((1, 1)), "PNG")}, "16 bit grey": {"a.png": picture(Image.fromarray(np.arange(4800, dtype=np.uint16).reshape(60, 80) * 13), "PNG")}, "transparent palette": {"a.png": picture(noise.convert("P"), "PNG", transparency=0)},
            "name with spaces and umlauts": {"ein schöner Hund — 犬.jpg": picture(noise, "JPEG")}, "one bit": {"a.png": picture(noise.convert("1"), "PNG")}, "broken profile": {"a.png": picture(noise, "PNG", icc_profile=b"nonsense" * 20)}, "webp": {"a.webp": picture(noise, "WEBP")},
        }
        for group, is_good in ((bad, False), (good, True)):
            for name, contents in group.items():
                def prepare(folder, contents=contents):
                    (folder / "photos").mkdir()
                    for file, data in contents.items():
                        (folder / "photos" / file).write_bytes(data)
                    return ["finetune", "--model", self.model, "--photos", folder / "photos", *FINETUNE]

                self.all.append((f"photos {name}", prepare, is_good))
        for name, make in {"a folder named photo.jpg": lambda p: (p / "photo.jpg").mkdir(), "a link to nothing": lambda p: (p / "a.jpg").symlink_to("/nowhere/a.jpg"), "a loop": lambda p: (p / "a.jpg").symlink_to("a.jpg"), "a pipe": lambda p: os.mkfifo(p / "a.jpg"),
                           "a link to a pipe": lambda p: (os.mkfifo(p / "pipe"), (p / "a.jpg").symlink_to("pipe")), "a link to zeros": lambda p: (p / "a.jpg").symlink_to("/dev/zero"), "a link to a folder": lambda p: (p / "a.jpg").symlink_to("/etc"),
                           "5 GB": lambda p: sparse(5 << 30, b"\xff\xd8\xff\xe0")(p / "a.jpg")}.items():
            def prepare(folder, make=make):
                (folder / "photos").mkdir()
                make(folder / "photos")
                return ["finetune", "--model", self.model, "--photos", folder / "photos", *FINETUNE]

            self.add(f"photos {name}", prepare)
        pictures = self.room / "good pictures"
        pictures.mkdir()
        (pictures / "a.png").write_bytes(png)
        for line in ("--size 100000", "--size 60", "--size 64x32", "--class=", "--token=", "--seed -1", "--lr inf", "--checkpoint-every 0", "--sample-every 0", "--beta2 1", "--eps 0", "--weight-decay -1", "--flip=maybe", "--crop sideways", "--method full --rank 4",
                     "--replay /nowhere.safetensors", "--init-lora /dev/zero", "--init-lora /etc", "--targets=", "--targets ,", "--targets to_q,nowhere", "--rank 1.5"):
            self.add(f"finetune {line}", lambda f, l=line: ["finetune", "--model", self.model, "--photos", pictures, *FINETUNE, *l.split()])

    def replays(self) -> None:
        small = {k: torch.zeros(0) for k in ()}
        for name, change in {"int32 steps": {"timesteps": torch.tensor([[1, 2], [3, 4]], dtype=torch.int32)}, "doubles": {"latents": torch.randn(2, 2, 4, 8, 8, dtype=torch.float64)}, "no rows": {"latents": torch.randn(0, 2, 4, 8, 8), "noise": torch.randn(0, 2, 4, 8, 8), "timesteps": torch.zeros(0, 2, dtype=torch.int64), "input_ids": torch.zeros(0, 2, 77, dtype=torch.int64)},
                             "four axes": {"latents": torch.randn(2, 4, 8, 8)}, "steps 2^62": {"timesteps": torch.full((2, 2), 1 << 62)}, "infinite noise": {"noise": torch.full((2, 2, 4, 8, 8), float("inf"))}, "more noise than latents": {"noise": torch.randn(3, 2, 4, 8, 8)}}.items():
            self.add(f"replay {name}", lambda f, c=change | small: ["finetune", "--model", self.model, "--replay", self.replay_file(c), "--steps", 2])
        for name, damage in {"cut": lambda f: f.write_bytes(f.read_bytes()[:-100]), "a pipe": fifo, "a folder": lambda f: (f.unlink(), f.mkdir()), "2^63": SAFETENSORS["length 2^63"]}.items():
            def prepare(folder, d=damage):
                file = shutil.move(self.replay_file({}), folder / "r.safetensors")
                d(file)
                return ["finetune", "--model", self.model, "--replay", file, "--steps", 2]

            self.add(f"replay file {name}", prepare)

    def run_folder(self) -> Path:
        """A run of two steps, made once."""
        run = self.room / "run"
        if not run.exists():
            done = subprocess.run([*COMMAND, "finetune", "--model", self.model, "--replay", self.replay_file({}), "--steps", "2", "--checkpoint-every", "1", "--out", run], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return run

    def runs(self) -> None:
        run = self.run_folder()
        state, adapter = "state-000002.safetensors", "checkpoints/000002/unet/adapter_model.safetensors"
        settings = json.loads((run / "run.json").read_text())

        def setting(**change):
            keys = {k: v for k, v in (settings["settings"] | change).items() if v is not ...}
            return only(settings | {"settings": keys})

        damages = {
            "run.json cut": ("run.json", put((run / "run.json").read_text()[:200])), "run.json empty": ("run.json", put("")), "run.json null": ("run.json", put("null")), "run.json list": ("run.json", put("[]")), "run.json of distillation": ("run.json", only(settings | {"kind": "sorcery"})),
            "no settings": ("run.json", only({"kind": "finetune", "modelHash": "0"})), "steps a text": ("run.json", setting(steps="2")), "rank negative": ("run.json", setting(lora={"rank": -1, "alpha": 1, "targets": ["to_q"]})), "method sorcery": ("run.json", setting(method="sorcery")),
            "model a number": ("run.json", setting(model=7)), "model gone": ("run.json", setting(model="/nowhere/model")), "model passwd": ("run.json", setting(model="/etc/passwd")), "another model's hash": ("run.json", only(settings | {"modelHash": "0" * 16})), "run.json a pipe": ("run.json", fifo),
            "run.json a folder": ("run.json", lambda f: (f.unlink(), f.mkdir())), "size a text": ("run.json", setting(size="big")), "size 65536": ("run.json", setting(size=65536)), "run.json 2 GB": ("run.json", sparse(2 << 30)), "provider sorcery": ("run.json", setting(provider="sorcery")), "photos a number": ("run.json", setting(photos=3)),
        }
        checkpoint = {
            "checkpoint cut": (adapter, lambda f: f.write_bytes(f.read_bytes()[:500])), "checkpoint empty": (adapter, put(b"")), "checkpoint nan": (adapter, lambda f: save_file({n: t * float("nan") for n, t in load_file(f).items()}, f)), "checkpoint's config broken": ("checkpoints/000002/unet/adapter_config.json", put("{")),
            "checkpoint's adapter missing": (adapter, lambda f: f.unlink()), "checkpoint an empty folder": ("checkpoints/000002", lambda f: (shutil.rmtree(f), f.mkdir())), "no checkpoints": ("checkpoints", shutil.rmtree), "checkpoints a file": ("checkpoints", lambda f: (shutil.rmtree(f), f.write_text("")))
            , "checkpoint of other sizes": (adapter, lambda f: save_file({n: torch.cat([t, t], 1) for n, t in load_file(f).items()}, f)),
        }
        states = {
            "state cut": (state, lambda f: f.write_bytes(f.read_bytes()[:500])), "state empty": (state, put(b"")), "state of other sizes": (state, lambda f: save_file({n: t[:-1].contiguous() for n, t in load_file(f).items()}, f, {"step": "2"})), "state without moments": (state, lambda f: save_file({"values": load_file(f)["values"]}, f, {"step": "2"})),
            "state of another step": (state, lambda f: f.rename(f.parent / "state-000001.safetensors")), "state nan": (state, lambda f: save_file({n: t * float("nan") for n, t in load_file(f).items()}, f, {"step": "2"})), "state a folder": (state, lambda f: (f.unlink(), f.mkdir())), "state noise": (state, put(random.Random(9).randbytes(5000))), "state a pipe": (state, fifo),
            "log a folder": ("log.jsonl", lambda f: (f.unlink(), f.mkdir())), "rank of another": ("run.json", setting(lora={"rank": 5, "alpha": 5, "targets": ["to_q", "to_v"]})), "replay gone": ("run.json", setting(replay="/nowhere/replay.safetensors")),
        }

        def case(name, verb, file, damage, *more):
            def prepare(folder):
                shutil.copytree(run, folder / "run")
                damage(folder / "run" / file)
                command = {"export": ["export", "--run", folder / "run", "--format", "peft"], "resume": ["finetune", "--resume", "--steps", 4, "--out", folder / "run"], "generate": ["generate", "--model", self.model, *GENERATE, "--lora", folder / "run"], "inspect": ["inspect", folder / "run"]}[verb]
                return [*command, *more]

            self.add(f"{verb}: {name}", prepare)

        for name, (file, damage) in damages.items():
            if name not in ("provider sorcery", "photos a number"):
                case(name, "export", file, damage)
            if name not in ("photos a number",):
                case(name, "resume", file, damage)
        for name, (file, damage) in checkpoint.items():
            case(name, "export", file, damage)
            case(name, "generate", file, damage)
        for name, (file, damage) in states.items():
            case(name, "resume", file, damage)
        nothing = lambda f: None  # noqa: E731
        for line in ("--checkpoint 99", "--checkpoint -1", "--checkpoint x", "--dtype f8", "--transformers 6", "--format gguf"):
            case(f"whole run, {line}", "export", "", nothing, *line.split())
        for line in ("--lr 0.5", "--rank 3", "--seed 7", "--method full", "--class cat --photos /etc", "--steps 0"):
            case(f"whole run, {line}", "resume", "", nothing, *line.split())
        self.add("run again without --resume", lambda f: [shutil.copytree(run, f / "run"), ["finetune", "--model", self.model, "--replay", self.replay_file({}), "--steps", 2, "--out", f / "run"]][1])
        self.add("resume of nothing", lambda f: ["finetune", "--resume"])
        for name, out in {"there already": "there", "below a file": "there/x", "the run itself": "run"}.items():
            def prepare(folder, out=out):
                shutil.copytree(run, folder / "run")
                (folder / "there").write_text("precious")
                return ["export", "--run", folder / "run", "--format", "diffusers", "--out", folder / out]

            self.add(f"export to what is {name}", prepare)

    def recipes(self) -> None:
        made = self.room / "made"
        if not made.exists():
            done = subprocess.run([*COMMAND, "generate", "--model", self.model, *map(str, GENERATE), "--out", made], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        data = next(made.glob("*.png")).read_bytes()
        start = data.index(b"iTXtlikeness\0") - 4
        length = struct.unpack(">I", data[start : start + 4])[0]
        recipe = json.loads(data[start + 8 : start + 8 + length].split(b"\0")[-1])

        def png(recipe_text: bytes, kind=b"tEXt") -> bytes:
            body = b"likeness\0" + recipe_text
            return data[:start] + struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) + data[start + 12 + length :]

        changed = lambda **c: png(json.dumps(recipe | c).encode())  # noqa: E731
        for name, content in {
            "cut": data[: start + 20], "length lies": data[:start] + struct.pack(">I", 2**31 - 1) + data[start + 4 :], "not json": png(b"{"), "a list": png(b"[]"), "null": png(b"null"), "empty": png(b""), "zipped bomb": png(b"\0" + zlib.compress(b"a" * 300_000_000, 9), b"zTXt"),
            "zipped noise": png(b"\0noise", b"zTXt"), "steps -1": changed(steps=-1), "steps 10^9": changed(steps=10**9), "size 10^9": changed(width=10**9, height=10**9), "seed -1": changed(seed=-1), "seed 2^60": changed(seed=1 << 60), "scheduler": changed(scheduler="sorcery"), "guidance text": changed(guidance="much"),
            "model passwd": changed(model={"name": "x", "path": "/etc/passwd", "hash": "0"}), "model up": changed(model={"name": "x", "path": "../../../..", "hash": "0"}), "another hash": changed(model=recipe["model"] | {"hash": "0" * 16}), "a lora that is gone": changed(loras=[{"path": "../gone", "hash": "0", "weight": 1}]),
            "loras a text": changed(loras="none"), "jpeg": b"\xff\xd8\xff\xe0" + bytes(50), "text": b"hello", "zero bytes": b"", "latents": changed(latents="0" * 16), "size 65x65": changed(width=65, height=65), "deep": png(b"[" * 400_000),
        }.items():
            self.add(f"recipe {name}", lambda f, d=content: [(f / "p.png").write_bytes(d), ["generate", "--recipe", f / "p.png"]][1])
        self.add("recipe a folder", lambda f: ["generate", "--recipe", f])
        self.add("recipe a pipe", lambda f: [fifo(f / "p.png"), ["generate", "--recipe", f / "p.png"]][1])

    def valid(self) -> None:
        """Odd but right: these must be done."""
        def add(name, arguments):
            self.all.append((name, arguments, True))

        add("valid: a prompt of a megabyte", lambda f: [(f / "p.txt").write_text("dog" * 350_000), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1, "--size", "64x64"]][1])
        add("valid: a prompt of a megabyte of words", lambda f: [(f / "p.txt").write_text("dog, " * 250_000), ["generate", "--model", self.model, "--prompts", f / "p.txt", "--steps", 1, "--size", "64x64"]][1])
        add("valid: an empty prompt", lambda f: ["generate", "--model", self.model, "--prompt", "", "--steps", 1, "--size", "64x64"])
        add("valid: any unicode", lambda f: ["generate", "--model", self.model, "--prompt", "🐕‍🦺 ä\u0301 \u202e犬 ￿", "--steps", 1, "--size", "64x64"])
        add("valid: size 8x8", lambda f: ["generate", "--model", self.model, "--prompt", "a", "--steps", 1, "--size", "8x8"])
        add("valid: size 72x40", lambda f: ["generate", "--model", self.model, "--prompt", "a", "--steps", 1, "--size", "72x40"])
        add("valid: one step each", lambda f: ["generate", "--model", self.model, "--prompt", "a", "b", "--steps", 1, "--size", "64x64", "--scheduler", "ddim"])
        odd = {"latents": torch.randn(2, 2, 4, 7, 5), "noise": torch.randn(2, 2, 4, 7, 5)}
        add("valid: replay of odd size", lambda f: ["finetune", "--model", self.model, "--replay", self.replay_file(odd), "--steps", 2])
        dot = {"latents": torch.randn(2, 2, 4, 1, 1), "noise": torch.randn(2, 2, 4, 1, 1)}
        add("valid: replay of one latent pixel", lambda f: ["finetune", "--model", self.model, "--replay", self.replay_file(dot), "--steps", 2])
        add("valid: crowd of other tensors", lambda f: [crowd(self.copy(f) / UNET), ["generate", "--model", f / "model", *GENERATE]][1])
        add("valid: config with a byte order mark", lambda f: [(lambda c: c.write_bytes(b"\xef\xbb\xbf" + c.read_bytes()))(self.copy(f) / "scheduler/scheduler_config.json"), ["generate", "--model", f / "model", *GENERATE]][1])


def hostile_cases(model: Path, room: Path, marker: Path) -> list:
    room.mkdir(parents=True, exist_ok=True)
    c = Hostile(model, room, marker)
    for group in (c.safetensors, c.shards, c.configs, c.pickles, c.options, c.photos, c.replays, c.runs, c.recipes, c.valid):
        group()
    return c.all
