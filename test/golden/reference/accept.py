"""What the accept_*.py scripts share: running `likeness`, keeping score, loading reference pipelines.

They compare the built command line (dist/likeness.js) with torch, diffusers and PEFT on models from make_models.py.
Usage of each: python accept_X.py MODELS WORK [filter…]; exit status 1 when anything is outside its limit.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["DIFFUSERS_VERBOSITY"] = os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from diffusers import StableDiffusionPipeline  # noqa: E402
from diffusers.utils import logging  # noqa: E402
from transformers.utils import logging as transformers_logging  # noqa: E402

logging.disable_progress_bar()
logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
torch.set_num_threads(1)

ROOT = Path(__file__).parents[3]
COMMAND = os.environ.get("LIKENESS", f"node {ROOT / 'dist' / 'likeness.js'}").split()


@dataclass
class Outcome:
    status: int
    events: list
    stdout: str
    stderr: str
    seconds: float

    def of(self, kind: str) -> list:
        return [e for e in self.events if e.get("type") == kind]


def events_in(text: str) -> list:
    out = []
    for line in text.splitlines():
        try:
            out.append(json.loads(line))
        except ValueError:
            out.append({"type": "not json", "line": line})
    return out


def likeness(*args, timeout: float = 900, cwd: Path | None = None) -> Outcome:
    """Runs a command with --json; a timeout counts as status 124."""
    started = time.time()
    try:
        p = subprocess.run([*COMMAND, *map(str, args), "--json"], capture_output=True, text=True, timeout=timeout, cwd=cwd)
        status, stdout, stderr = p.returncode, p.stdout, p.stderr
    except subprocess.TimeoutExpired as e:
        status, stdout, stderr = 124, (e.stdout or b"").decode(), (e.stderr or b"").decode()
    return Outcome(status, events_in(stdout), stdout, stderr, time.time() - started)


class Score:
    """Prints one line a check and remembers the failures."""

    def __init__(self):
        self.checks, self.failures = 0, []

    def limit(self, name: str, value: float, most: float) -> None:
        self.verdict(f"{name}: {value:.3g} (at most {most:g})", value <= most)

    def at_least(self, name: str, value: float, least: float) -> None:
        self.verdict(f"{name}: {value:.4g} (at least {least:g})", value >= least)

    def verdict(self, text: str, good: bool) -> None:
        self.checks += 1
        if not good:
            self.failures.append(text)
        print("ok  " if good else "FAIL", text, flush=True)

    def ran(self, name: str, outcome: Outcome) -> bool:
        if outcome.status != 0:
            self.verdict(f"{name}: exit {outcome.status}: {outcome.stderr.strip()[-600:]}", False)
        return outcome.status == 0

    def finish(self) -> None:
        print(f"{self.checks - len(self.failures)} of {self.checks} within their limits")
        for failure in self.failures:
            print("FAIL", failure)
        sys.exit(1 if self.failures else 0)


def arguments() -> tuple[Path, Path, list[str]]:
    models, work = Path(sys.argv[1]), Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    return models, work, sys.argv[3:]


def wanted(name: str, filters: list[str]) -> bool:
    return all(f in name for f in filters)


def pipeline(model: Path, scheduler=None) -> StableDiffusionPipeline:
    """diffusers' pipeline in float32, with its own scheduler (whose steps_offset and clip_sample the pipeline may have
    mended) or another class made from that one's config, as users swap them."""
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    if scheduler is not None:
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    return pipe


def relative_error(ours: torch.Tensor, reference: torch.Tensor) -> float:
    """Largest difference as a share of the reference's largest value."""
    if ours.shape != reference.shape:
        return float("inf")
    return ((ours - reference).abs().max() / reference.abs().max()).item()
