"""python make_training_goldens.py [CASE...]: ten optimizer steps on the fixture models, torch and PEFT in float64.

Writes ../fixtures/training/<case>/: replay.safetensors (as `finetune --replay` reads it), start/ (a PEFT folder; LoRA
only) and expected.safetensors (losses, the trained tensors afterwards).
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from torch_training import make_replay, published, train, write_lora_start

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = [  # name, model, method, prior, batch, lr, prediction (the model's own where none)
    ("lora-epsilon-prior", "tiny-bk", "lora", True, 2, 1e-3, None),
    ("lora-velocity", "tiny-sd2", "lora", False, 1, 1e-3, None),
    ("full-epsilon-prior", "tiny-bk", "full", True, 2, 1e-4, None),
    ("lora-sample", "tiny-bk", "lora", False, 1, 1e-3, "sample"),
    ("lora-min-snr-prior", "tiny-bk", "lora", True, 2, 1e-3, None),
    ("lora-ema", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("lora-prodigy", "tiny-bk", "lora", True, 2, 1.0, None),
    ("lora-text-rate", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("lora-min-snr-velocity", "tiny-sd2", "lora", False, 1, 1e-3, None),
    ("lora-inpaint-prior", "tiny-bk", "lora", True, 2, 1e-3, None),
    ("dora", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("loha", "tiny-bk", "lora", False, 1, 1e-2, None),
    ("lokr", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("locon", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("locon-prodigy", "tiny-bk", "lora", False, 1, 1.0, None),
    ("dora-adafactor", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("loha-prodigy", "tiny-bk", "lora", False, 1, 1.0, None),
    ("lokr-adafactor", "tiny-bk", "lora", False, 1, 1e-3, None),
    ("dora-prodigy", "tiny-bk", "lora", False, 1, 1.0, None),
    ("loha-adafactor", "tiny-bk", "lora", False, 1, 1e-2, None),
    ("lokr-prodigy", "tiny-bk", "lora", False, 1, 1.0, None),
    ("lora-noise-offset", "tiny-bk", "lora", False, 1, 1e-3, None),
]
KIN = ("dora", "loha", "lokr", "locon")  # cases begin with PEFT's method; LoCon is LoRA with convolutions
MORE = {  # what else a case is trained with
    "lora-min-snr-prior": {"snr_gamma": 1.5},
    "lora-min-snr-velocity": {"snr_gamma": 1.5},
    "lora-ema": {"ema": 0.5},
    "lora-prodigy": {"optimizer": "prodigy"},
    "lora-text-rate": {"text_lr": 2e-4},
    "lora-inpaint-prior": {"inpaint": True},
    "locon-prodigy": {"optimizer": "prodigy"},
    "dora-adafactor": {"optimizer": "adafactor"},
    "loha-prodigy": {"optimizer": "prodigy", "d_coef": 100.0},  # so that f32 sees what the first steps move
    "lokr-adafactor": {"optimizer": "adafactor"},
    "dora-prodigy": {"optimizer": "prodigy", "d_coef": 10.0},
    "loha-adafactor": {"optimizer": "adafactor"},
    "lokr-prodigy": {"optimizer": "prodigy", "d_coef": 100.0},
    "lora-noise-offset": {"noise_offset": 0.1},
}

if __name__ == "__main__":
    for name, model, method, prior, batch, lr, prediction in CASES:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        folder, out = FIXTURES / "models" / model, FIXTURES / "training" / name
        out.mkdir(parents=True, exist_ok=True)
        kind = name.split("-")[0]
        record = make_replay(folder, out / "replay.safetensors", 20 if name in MORE or kind in KIN else 10, batch, prior, seed=1, size=8, inpaint=MORE.get(name, {}).get("inpaint", False))
        if method == "lora":
            write_lora_start(folder, out / "start", seed=5, kind=kind)
            for readme in (out / "start").rglob("README.md"):
                readme.unlink()
        losses, _, after = train(folder, record, method, lr, out / "start", prior=prior, dtype=torch.float64,
                                 prediction=prediction, **MORE.get(name, {}))
        tensors = {f"{part}.{published(part, n)}": t.float().contiguous() for part, state in after.items() for n, t in state.items()}
        save_file({"losses": torch.tensor(losses), **tensors}, out / "expected.safetensors", {"lr": str(lr), "model": model, **({"prediction": prediction} if prediction else {}), **{k: str(v) for k, v in MORE.get(name, {}).items()}})
        print(name, [round(v, 4) for v in losses])
