"""Two hundred broken inputs for `likeness`, each a function that prepares a folder and returns the command's arguments."""

import io
import json
import os
import pickle
import random
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

WEIGHTS = {"unet": "diffusion_pytorch_model.safetensors", "vae": "diffusion_pytorch_model.safetensors",
           "text_encoder": "model.safetensors"}
GENERATE = ["--prompt", "a photo of sks dog", "--steps", 2, "--size", "64x64", "--seed", 1]
FINETUNE = ["--class", "dog", "--steps", 2, "--no-prior"]


class Payload:
    """Unpickling this runs a command."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def header(file: Path) -> tuple[dict, bytes]:
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write_header(file: Path, tensors, body: bytes) -> None:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + body)


def edit(change):
    """A damage that edits the safetensors header in place; `change(header, name of one tensor)`."""

    def damage(file: Path) -> None:
        tensors, body = header(file)
        name = sorted(n for n in tensors if n != "__metadata__" and len(tensors[n]["shape"]) > 1)[3]
        change(tensors, name)
        write_header(file, tensors, body)

    return damage


def edit_tensor(change):
    """A damage that keeps the file well formed; `change(tensors, name)`."""

    def damage(file: Path) -> None:
        tensors = load_file(file)
        name = sorted(n for n in tensors if tensors[n].ndim > 1 and tensors[n].is_floating_point())[3]
        change(tensors, name)
        save_file({n: t.contiguous() for n, t in tensors.items()}, file)

    return damage


def cut(share: float):
    return lambda file: file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def put(data: bytes):
    return lambda file: file.write_bytes(data)


def become_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def offsets(begin: int, end: int):
    return edit(lambda h, n: h[n].update(data_offsets=[begin, end]))


def overlap(tensors, name):
    other = next(n for n in tensors if n not in (name, "__metadata__") and tensors[n]["shape"] == tensors[name]["shape"])
    tensors[name]["data_offsets"] = tensors[other]["data_offsets"]


def shift(tensors, name):
    begin, end = tensors[name]["data_offsets"]
    tensors[name]["data_offsets"] = [begin - 4, end - 4]


def value(x: float):
    def change(tensors, name):
        tensors[name].view(-1)[0] = x

    return edit_tensor(change)


FILE_DAMAGE = {
    "empty": put(b""), "seven bytes": put(b"\1\0\0\0\0\0\0"), "noise": lambda f: f.write_bytes(random.Random(1).randbytes(5000)),
    "length beyond file": lambda f: f.write_bytes(struct.pack("<Q", 1 << 40) + f.read_bytes()[8:]),
    "length 2^64-1": lambda f: f.write_bytes(b"\xff" * 8 + f.read_bytes()[8:]),
    "length zero": lambda f: f.write_bytes(b"\0" * 8 + f.read_bytes()[8:]),
    "length short": lambda f: f.write_bytes(struct.pack("<Q", 100) + f.read_bytes()[8:]),
    "header not json": lambda f: write_header(f, b"{'a': 1", b""), "header a list": lambda f: write_header(f, b"[1, 2]", b""),
    "header null": lambda f: write_header(f, b"null", b""), "header not utf-8": lambda f: write_header(f, b'{"\xff\xfe": 1}', b""),
    "header empty object": lambda f: write_header(f, b"{}", b""), "header deep": lambda f: write_header(f, b"[" * 100000, b""),
    "cut at a tenth": cut(0.1), "cut at half": cut(0.5), "cut by a little": cut(0.999), "a folder": become_folder,
    "missing": lambda f: f.unlink(), "an html page": put(b"<!DOCTYPE html><html>404 not found</html>"),
    "a git-lfs pointer": put(b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 3438167534\n"),
    "offsets overlap": edit(overlap), "offsets shifted": edit(shift), "offsets reversed": offsets(64, 0),
    "offsets beyond": offsets(1 << 30, (1 << 30) + 64), "offsets negative": offsets(-8, 0), "offsets absurd": offsets(0, 1 << 62),
    "offsets missing": edit(lambda h, n: h[n].pop("data_offsets")), "entry null": edit(lambda h, n: h.update({n: None})),
    "offsets strings": edit(lambda h, n: h[n].update(data_offsets=["0", "64"])),
    "dtype unknown": edit(lambda h, n: h[n].update(dtype="F31")), "dtype lies": edit(lambda h, n: h[n].update(dtype="F64")),
    "dtype integer": edit(lambda h, n: h[n].update(dtype="I32")), "shape lies": edit(lambda h, n: h[n].update(shape=[7, 7])),
    "shape negative": edit(lambda h, n: h[n].update(shape=[-1, -64])), "shape absurd": edit(lambda h, n: h[n].update(shape=[1 << 31, 1 << 31])),
    "shape fraction": edit(lambda h, n: h[n].update(shape=[1.5, 2])), "shape string": edit(lambda h, n: h[n].update(shape="big")),
    "tensor missing": edit_tensor(lambda t, n: t.pop(n)), "tensor transposed": edit_tensor(lambda t, n: t.update({n: t[n].transpose(0, 1)[:, :1]})),
    "tensor wider": edit_tensor(lambda t, n: t.update({n: torch.cat([t[n], t[n]])})), "names of another model":
    edit_tensor(lambda t, n: [t.update({f"transformer.{k}": t.pop(k)}) for k in list(t)]), "nan weights": value(float("nan")),
    "infinite weights": value(float("inf")), "half the tensors gone": edit_tensor(lambda t, n: [t.pop(k) for k in sorted(t)[::2]]),
}

WRONG_CONFIG = {
    "missing": None, "empty": "", "not json": "{", "list": "[]", "null": "null", "no keys": "{}",
    "sdxl": {"_class_name": "UNet2DConditionModel", "addition_embed_type": "text_time", "block_out_channels": [320, 640, 1280],
             "cross_attention_dim": 2048, "transformer_layers_per_block": [1, 2, 10], "attention_head_dim": [5, 10, 20]},
    "flux": {"_class_name": "FluxTransformer2DModel", "num_layers": 19, "attention_head_dim": 128},
    "bert": {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 768},
}
CHANGED_UNET = {
    "no levels": {"block_out_channels": []}, "zero channels": {"block_out_channels": [0, 0, 0]}, "channels words": {"block_out_channels": "big"},
    "absurd channels": {"block_out_channels": [1 << 30] * 3}, "other channels": {"block_out_channels": [16, 32, 32]},
    "levels differ": {"block_out_channels": [8, 16]}, "unknown block": {"down_block_types": ["KDownBlock2D"] * 3},
    "negative layers": {"layers_per_block": -1}, "absurd layers": {"layers_per_block": 10**9}, "layers differ": {"layers_per_block": 2},
    "heads zero": {"attention_head_dim": 0}, "heads do not divide": {"attention_head_dim": 7}, "groups zero": {"norm_num_groups": 0},
    "groups do not divide": {"norm_num_groups": 5}, "inpainting": {"in_channels": 9}, "context differs": {"cross_attention_dim": 999},
    "activation unknown": {"act_fn": "sorcery"}, "class labels": {"class_embed_type": "timestep"}, "mid unknown": {"mid_block_type": "Elephant"},
}


class Cases:
    def __init__(self, model: Path, room: Path, marker: Path):
        self.model, self.room, self.marker, self.all = model, room, marker, []

    def add(self, name: str, arguments) -> None:
        """`arguments(folder)` prepares and returns the command line; `--out` is added by the runner."""
        self.all.append((name, arguments))

    def copy(self, folder: Path) -> Path:
        shutil.copytree(self.model, folder / "model")
        return folder / "model"

    def with_model(self, name: str, damage, command=("generate", *GENERATE)) -> None:
        def prepare(folder: Path):
            model = self.copy(folder)
            damage(model)
            return [command[0], "--model", model, *command[1:]]

        self.add(name, prepare)

    def with_option(self, name: str, *options, command=("generate", *GENERATE)) -> None:
        self.add(name, lambda folder: [command[0], "--model", self.model, *command[1:], *options])

    def weights(self) -> None:
        for i, (name, damage) in enumerate(FILE_DAMAGE.items()):
            parts = ("unet",) if i % 3 else ("unet", "vae", "text_encoder")
            for part in parts:
                self.with_model(f"{part} weights {name}", lambda m, d=damage, p=part: d(m / p / WEIGHTS[p]))
        replay = self.replay_file({})
        for name in ("nan weights", "cut at half", "tensor missing"):
            self.with_model(f"finetune: unet weights {name}", lambda m, n=name: FILE_DAMAGE[n](m / "unet" / WEIGHTS["unet"]),
                            ("finetune", "--replay", replay, "--steps", 2))

    def configs(self) -> None:
        def write(file, config):
            if config is None:
                file.unlink()
            else:
                file.write_text(config if isinstance(config, str) else json.dumps(config))

        for name, config in WRONG_CONFIG.items():
            part = ("unet", "text_encoder", "vae")[len(name) % 3] if name not in ("sdxl", "flux") else "unet"
            self.with_model(f"{part} config {name}", lambda m, c=config, p=part: write(m / p / "config.json", c))
        for name, change in CHANGED_UNET.items():
            def damage(m, c=change):
                file = m / "unet" / "config.json"
                write(file, json.loads(file.read_text()) | c)

            self.with_model(f"unet config {name}", damage)
        for file, texts in {"scheduler/scheduler_config.json": ("{", '{"_class_name": "Wizard"}', '{"_class_name": "DDIMScheduler", "num_train_timesteps": -5}',
                                                                '{"_class_name": "PNDMScheduler", "beta_schedule": "magic"}'),
                            "tokenizer/vocab.json": ("{", "[]", "{}", '{"a": "b"}'), "tokenizer/merges.txt": ("\0\0\0", "a\nb\n"),
                            "model_index.json": ("{", '{"_class_name": "FluxPipeline"}')}.items():
            for i, text in enumerate(texts):
                self.with_model(f"{file} broken {i}", lambda m, f=file, t=text: (m / f).write_text(t))
        for part in ("tokenizer", "unet", "vae", "text_encoder", "scheduler"):
            self.with_model(f"no {part} folder", lambda m, p=part: shutil.rmtree(m / p))

    def pickles(self) -> None:
        touch = f"touch {self.marker}"
        payloads = {"os.system": Payload(os.system, touch), "eval": Payload(eval, f"open({str(self.marker)!r}, 'w')"),
                    "exec": Payload(exec, f"open({str(self.marker)!r}, 'w')"), "open": Payload(open, str(self.marker), "w")}

        def as_bin(payload_bytes):
            def damage(m):
                (m / "unet" / WEIGHTS["unet"]).unlink()
                (m / "unet" / "diffusion_pytorch_model.bin").write_bytes(payload_bytes)

            return damage

        def archive(data: bytes) -> bytes:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as z:
                z.writestr("archive/data.pkl", data)
                z.writestr("archive/version", "3\n")
            return out.getvalue()

        good = io.BytesIO()
        torch.save(load_file(self.model / "unet" / WEIGHTS["unet"]), good)
        for name, payload in payloads.items():
            data = pickle.dumps({"state_dict": payload}, protocol=2)
            self.with_model(f"pickle calls {name}", as_bin(archive(data)))
            self.with_model(f"legacy pickle calls {name}", as_bin(data))

            def ckpt(folder, d=archive(data)):
                (folder / "model.ckpt").write_bytes(d)
                return ["generate", "--model", folder / "model.ckpt", *GENERATE]

            self.add(f"ckpt calls {name}", ckpt)
        for name, data in {"cut zip": good.getvalue()[: len(good.getvalue()) // 2], "empty": b"", "noise": random.Random(2).randbytes(9000),
                           "cut pickle": archive(b"\x80\x02}q\x00("), "endless memo": archive(b"\x80\x02" + b"]" * 200000 + b"."),
                           "zip without pickle": archive(b"")}.items():
            self.with_model(f"bin {name}", as_bin(data))

    def options(self) -> None:
        for text in ("--steps 0", "--steps -3", "--steps many", "--steps 1e9", "--steps 2.5", "--size 7x7", "--size 63x64", "--size 100000x100000",
                     "--size 0x0", "--size -64x64", "--guidance abc", "--guidance nan", "--seed x", "--seed 1e30", "--count 0", "--count -1",
                     "--batch 0", "--scheduler sorcery", "--provider abacus", "--colour red", "--lora /nowhere", "--lora :", "--prompts /nowhere.txt",
                     "--latents /nowhere.safetensors"):
            self.with_option(f"generate {text}", *text.split())
        self.add("no command", lambda f: [])
        self.add("unknown command", lambda f: ["enchant"])
        self.add("generate without prompt", lambda f: ["generate", "--model", self.model])
        self.add("model missing", lambda f: ["generate", "--model", f / "nothing", *GENERATE])
        self.add("model an empty folder", lambda f: [(f / "e").mkdir(), ["generate", "--model", f / "e", *GENERATE]][1])
        self.add("model a text file", lambda f: [(f / "e.txt").write_text("hello"), ["generate", "--model", f / "e.txt", *GENERATE]][1])
        self.add("recipe from a plain png", lambda f: [Image.new("RGB", (8, 8)).save(f / "p.png"), ["generate", "--recipe", f / "p.png"]][1])
        for name, tensors in {"of wrong shape": {"latents": torch.randn(1, 3, 8, 8)}, "under another key": {"noise": torch.randn(1, 4, 8, 8)},
                              "with nan": {"latents": torch.full((1, 4, 8, 8), float("nan"))}, "of another size": {"latents": torch.randn(1, 4, 9, 5)}}.items():
            def prepare(folder, t=tensors):
                save_file(t, folder / "l.safetensors")
                return ["generate", "--model", self.model, *GENERATE, "--latents", folder / "l.safetensors"]

            self.add(f"latents {name}", prepare)

    def loras(self) -> None:
        def lora(folder: Path, name: str, a=(4, 8), b=(8, 4), alpha=4.0, stem="lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"):
            file = folder / name
            save_file({f"{stem}.lora_down.weight": torch.randn(a), f"{stem}.lora_up.weight": torch.randn(b), f"{stem}.alpha": torch.tensor(alpha)}, file)
            return file

        variants = {"of another width": dict(a=(4, 320), b=(320, 4)), "of two ranks": dict(a=(4, 8), b=(8, 5)), "alpha nan": dict(alpha=float("nan")),
                    "no module": dict(stem="lora_unet_nowhere"), "of SDXL": dict(stem="lora_te2_text_model_encoder_layers_0_self_attn_q_proj")}
        for name, options in variants.items():
            self.add(f"lora {name}", lambda f, o=options: ["generate", "--model", self.model, *GENERATE, "--lora", lora(f, "l.safetensors", **o)])
        for name in ("empty", "noise", "length beyond file", "cut at half", "offsets overlap", "dtype unknown", "nan weights", "header not json", "header empty object"):
            def prepare(folder, damage=FILE_DAMAGE[name]):
                file = folder / "l.safetensors"
                stems = [f"lora_unet_down_blocks_{i}_attentions_0_transformer_blocks_0_attn1_to_{x}" for i in (0, 1) for x in "qv"]
                save_file({f"{s}.lora_{d}.weight": torch.randn(8, 8) for s in stems for d in ("down", "up")}, file)
                damage(file)
                return ["generate", "--model", self.model, *GENERATE, "--lora", file]

            self.add(f"lora file {name}", prepare)
        for name, config in {"missing": None, "broken": "{", "rank zero": '{"r": 0, "lora_alpha": 1, "target_modules": ["to_q"], "peft_type": "LORA"}',
                             "of another method": '{"peft_type": "PROMPT_TUNING"}'}.items():
            def prepare(folder, text=config):
                part = folder / "peft" / "unet"
                part.mkdir(parents=True)
                name = "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_"
                save_file({f"{name}A.weight": torch.randn(4, 8), f"{name}B.weight": torch.randn(8, 4)}, part / "adapter_model.safetensors")
                if text is not None:
                    (part / "adapter_config.json").write_text(text)
                return ["generate", "--model", self.model, *GENERATE, "--lora", folder / "peft"]

            self.add(f"peft config {name}", prepare)

    def photos(self) -> None:
        def picture(kind: str, size=(80, 60)) -> bytes:
            out = io.BytesIO()
            Image.fromarray(np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(out, kind)
            return out.getvalue()

        png, jpeg = picture("PNG"), picture("JPEG")
        huge = bytearray(png)
        huge[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
        wide = bytearray(png)
        wide[16:24] = struct.pack(">II", 60000, 60000)
        files = {"nothing": {}, "a text as png": {"a.png": b"hello"}, "empty png": {"a.png": b""}, "cut png": {"a.png": png[:300]},
                 "cut jpeg": {"a.jpg": jpeg[:400]}, "png of absurd size": {"a.png": bytes(huge)}, "png of false size": {"a.png": bytes(wide)},
                 "jpeg of noise": {"a.jpg": b"\xff\xd8\xff\xe0" + random.Random(3).randbytes(3000)}, "only a readme": {"README.md": b"# photos"},
                 "svg as jpg": {"a.jpg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"}, "png header only": {"a.png": png[:33]},
                 "svg reading a file": {"a.png": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"},
                 "one good one cut": {"a.png": png, "b.jpg": jpeg[: len(jpeg) // 3]}, "html as jpg": {"a.jpg": b"<html>not found</html>"}}
        for name, contents in files.items():
            def prepare(folder, contents=contents):
                (folder / "photos").mkdir()
                for file, data in contents.items():
                    (folder / "photos" / file).write_bytes(data)
                return ["finetune", "--model", self.model, "--photos", folder / "photos", *FINETUNE]

            self.add(f"photos: {name}", prepare)
        self.add("photos missing", lambda f: ["finetune", "--model", self.model, "--photos", f / "no", *FINETUNE])
        self.add("photos a file", lambda f: [(f / "p.png").write_bytes(png), ["finetune", "--model", self.model, "--photos", f / "p.png", *FINETUNE]][1])
        good = self.room / "good photos"
        good.mkdir(parents=True, exist_ok=True)
        (good / "a.png").write_bytes(png)
        for text in ("--steps 0", "--steps -1", "--lr nan", "--lr -1", "--lr 0x", "--batch 0", "--rank 0", "--rank -2", "--rank 1e9", "--alpha nan",
                     "--targets nowhere", "--text-targets nowhere", "--lr-schedule sorcery", "--method prayer", "--beta1 2", "--init-lora /nowhere",
                     "--size 7", "--size 1000000", "--max-grad-norm -1", "--accumulate 0", "--warmup -1", "--prior-weight x"):
            self.add(f"finetune {text}", lambda f, t=text: ["finetune", "--model", self.model, "--photos", good, *FINETUNE, *t.split()])
        self.add("finetune without class", lambda f: ["finetune", "--model", self.model, "--photos", good, "--steps", 2])

    def replay_file(self, change: dict) -> Path:
        record = {"latents": torch.randn(2, 2, 4, 8, 8), "noise": torch.randn(2, 2, 4, 8, 8), "timesteps": torch.tensor([[1, 2], [3, 4]]),
                  "input_ids": torch.zeros(2, 2, 77, dtype=torch.int64)}
        record = {k: v for k, v in (record | change).items() if v is not None}
        file = self.room / f"replay{len(list(self.room.glob('replay*')))}.safetensors"
        self.room.mkdir(parents=True, exist_ok=True)
        save_file(record, file)
        return file

    def replays(self) -> None:
        for name, change in {
            "without noise": {"noise": None}, "without ids": {"input_ids": None}, "steps out of range": {"timesteps": torch.full((2, 2), 5000)},
            "steps negative": {"timesteps": torch.full((2, 2), -1)}, "ids out of range": {"input_ids": torch.full((2, 2, 77), 10**6)},
            "ids of another length": {"input_ids": torch.zeros(2, 2, 12, dtype=torch.int64)}, "noise of another size": {"noise": torch.randn(2, 2, 4, 4, 4)},
            "three channels": {"latents": torch.randn(2, 2, 3, 8, 8), "noise": torch.randn(2, 2, 3, 8, 8)}, "nan": {"latents": torch.full((2, 2, 4, 8, 8), float("nan"))},
            "float steps": {"timesteps": torch.tensor([[1.5, 2.5], [3.0, 4.0]])},
        }.items():
            self.add(f"replay {name}", lambda f, c=change: ["finetune", "--model", self.model, "--replay", self.replay_file(c), "--steps", 2])
        self.add("replay too short", lambda f: ["finetune", "--model", self.model, "--replay", self.replay_file({}), "--steps", 9])

    def others(self) -> None:
        self.add("export of nothing", lambda f: ["export", "--run", f / "no", "--format", "peft"])
        self.add("export of an empty folder", lambda f: [(f / "r").mkdir(), ["export", "--run", f / "r", "--format", "peft"]][1])
        self.add("export in sorcery", lambda f: ["export", "--run", f, "--format", "sorcery"])
        self.add("inspect nothing", lambda f: ["inspect", f / "no"])
        self.add("inspect noise", lambda f: [(f / "n.safetensors").write_bytes(random.Random(4).randbytes(3000)), ["inspect", f / "n.safetensors"]][1])
        self.add("bench of sorcery", lambda f: ["bench", "--shape", "sorcery"])
        self.add("bench of absurd size", lambda f: ["bench", "--shape", "bk-sdm-tiny", "--latents", 100000])


def cases(model: Path, room: Path, marker: Path) -> list:
    room.mkdir(parents=True, exist_ok=True)
    c = Cases(model, room, marker)
    for group in (c.weights, c.configs, c.pickles, c.options, c.loras, c.photos, c.replays, c.others):
        group()
    return c.all
