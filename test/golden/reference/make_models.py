"""python make_models.py OUT: one small diffusers folder for every family shape, plus the variants of storage."""

import sys
from pathlib import Path

from tiny_models import FAMILIES, write_folder

if __name__ == "__main__":
    out = Path(sys.argv[1])
    for name, family in FAMILIES.items():
        write_folder(out / name, family)
        print(name, flush=True)
    write_folder(out / "sd1-transformers5", FAMILIES["sd1"], transformers=5)
