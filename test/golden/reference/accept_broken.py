"""Broken inputs: exit 1 or 2 within 20 s, one clear sentence, no stack, no crash, nothing written outside --out; odd ones that are right: done."""

import os
import re
import shutil
from pathlib import Path

from accept import Score, arguments, likeness, wanted
from broken_inputs import cases
from hostile_inputs import hostile_cases

STACK = re.compile(r"\n\s+at |node:internal|\.(ts|js|mjs):\d+|\bTypeError\b|\bRangeError\b|undefined|\[object|ZodError|Non-zero status")
WITHOUT_OUT = ("inspect", "bench", "enchant", "doctor")


def listing(*roots: Path) -> set:
    return {(str(p), p.stat().st_mtime_ns) for root in roots for p in root.rglob("*") if p.is_file()}


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    room, home, cwd, marker = work / "room", work / "home", work / "cwd", work / "pickle-ran"
    for folder in (room, home, cwd):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    marker.unlink(missing_ok=True)
    os.environ["HOME"] = str(home)
    everything = [*cases(models / "tiny-bk", room, marker), *hostile_cases(models / "tiny-bk", room, marker)]
    print(len(everything), "cases")
    for number, (name, prepare, *valid) in enumerate(everything):
        if not wanted(name, filters):
            continue
        folder = room / f"{number}"
        folder.mkdir()
        command = prepare(folder)
        out = work / "out"
        shutil.rmtree(out, ignore_errors=True)
        before = listing(room, home, cwd, models / "tiny-bk")
        extra = ["--out", out] if command and command[0] not in WITHOUT_OUT and "--out" not in command else []
        r = likeness(*command, *extra, timeout=25, cwd=cwd)
        sentence = r.stderr.strip()
        if valid and valid[0]:
            score.verdict(f"{name}: exit {r.status} {r.seconds:.0f} s | {sentence[-200:]}", r.status == 0 and r.seconds < 20)
            shutil.rmtree(folder)
            continue
        written = listing(room, home, cwd, models / "tiny-bk") - before
        problems = [
            *([] if r.status in (1, 2) else [f"exit {r.status}"]), *([] if r.seconds < 20 else [f"{r.seconds:.0f} s"]),
            *([] if 15 <= len(sentence) <= 700 else [f"{len(sentence)} characters"]),
            *([f"{len(sentence.splitlines())} lines"] if len(sentence.splitlines()) > (3 if r.status == 2 else 1) else []),
            *(["looks like a stack or a crash"] if STACK.search(r.stderr) else []),
            *([f"wrote {sorted(written)[:2]}"] if written else []), *(["the pickle ran"] if marker.exists() else []),
            *([] if r.of("error") or r.status == 2 else ["no error event"]),
        ]
        score.verdict(f"{name}: {'; '.join(problems)} | {sentence[-300:]}", not problems)
        shutil.rmtree(folder)
    score.finish()
