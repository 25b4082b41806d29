"""kill -9 at random moments, then --resume: the final weights must be the uninterrupted run's bits, every time."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
from PIL import Image

from accept import COMMAND, Score, arguments, likeness, wanted
from torch_training import make_replay

ROUNDS = int(os.environ.get("ROUNDS", "20"))


def kinds(models: Path, work: Path) -> dict:
    """Name → the finetune's options: recorded batches and photos, both methods."""
    replay = work / "replay.safetensors"
    make_replay(models / "bk-tiny", replay, 40, 2, True, seed=1)
    photos = work / "photos"
    photos.mkdir(exist_ok=True)
    random_pixels = np.random.default_rng(1)
    for i in range(4):
        blocks = random_pixels.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((160 - 8 * i, 120), Image.BICUBIC).save(photos / f"{i}.png")
    base = ["--model", models / "bk-tiny", "--steps", 40, "--checkpoint-every", 7]
    pictures = ["--photos", photos, "--class", "dog", "--size", "64"]
    return {
        "lora-replay": [*base, "--replay", replay, "--lr", 1e-3],
        "full-replay": [*base, "--replay", replay, "--method", "full", "--lr", 1e-5],
        "lora-photos-prior": [*base, *pictures, "--class-images", 4, "--lr", 1e-3],
        "full-photos-accumulate": [*base, *pictures, "--no-prior", "--method", "full", "--accumulate", 2, "--lr", 1e-5],
    }


def weights(run: Path, out: Path) -> dict:
    """Digest of every tensor file that the run exports."""
    shutil.rmtree(out, ignore_errors=True)
    form = "peft" if "lora" in out.name else "diffusers"
    outcome = likeness("export", "--run", run, "--format", form, "--dtype", "f32", "--out", out)
    if outcome.status != 0:
        return {"export failed": outcome.stderr[-300:]}
    return {str(f.relative_to(out)): hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(out.rglob("*.safetensors"))}


def start_and_kill(options: list, after: float) -> bool:
    """True when the process was still running and was killed, with everything it had started."""
    process = subprocess.Popen([*COMMAND, *map(str, options), "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(after)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


if __name__ == "__main__":
    models, work, filters = arguments()
    rounds = ROUNDS
    score = Score()
    dice = random.Random(int(time.time()))
    for name, options in kinds(models, work).items():
        if not wanted(name, filters):
            continue
        shutil.rmtree(work / name, ignore_errors=True)
        calm = likeness("finetune", *options, "--out", work / name / "calm")
        if not score.ran(name, calm):
            continue
        expected = weights(work / name / "calm", work / name / "export-calm")
        again = likeness("finetune", *options, "--out", work / name / "again")
        score.verdict(f"{name}: two calm runs agree ({calm.seconds:.1f} s)", again.status == 0
                      and weights(work / name / "again", work / name / "export-again") == expected)
        for round in range(ROUNDS):
            run = work / name / "torn"
            shutil.rmtree(run, ignore_errors=True)
            moments = [dice.uniform(0.2, calm.seconds) for _ in range(dice.choice((1, 1, 2, 3)))]
            killed = [start_and_kill(["finetune", *options, "--out", run, *(["--resume"] if i else [])], m)
                      for i, m in enumerate(moments)]
            went_on = likeness("finetune", *options, "--out", run, "--resume")
            got = weights(run, work / name / "export-torn") if went_on.status == 0 else {"resume": went_on.stderr[-300:]}
            differing = [k for k in expected if got.get(k) != expected[k]]
            score.verdict(f"{name} round {round}: killed at {[f'{m:.2f}' for m in moments]} {killed}; {got if 'resume' in got else differing}", not differing)
            steps = [e["step"] for e in went_on.of("step")]
            print("     resumed at step", steps[0] if steps else "none", flush=True)
    score.finish()
