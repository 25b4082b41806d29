"""python aspect_buckets.py: kohya's bucket rule, for ../fixtures/photos/buckets.json; needs nothing but numpy.

The rule is that of sd-scripts' `make_bucket_resolutions` and `BucketManager.select_bucket` (with upscaling), written down again; crops are
those of `trim_and_resize_if_required`: the middle, rounded down.
"""

import json
import math
from pathlib import Path

import numpy as np

LIMITS = [(512, 256, 1024, 64), (768, 384, 1536, 64), (1024, 512, 2048, 64), (128, 64, 256, 16), (32, 16, 64, 8), (640, 256, 1024, 64), (500, 256, 1024, 64)]
PHOTOS = [(512, 512), (4032, 3024), (3024, 4032), (1920, 1080), (1080, 1920), (1000, 999), (700, 300), (300, 700), (5000, 900),
          (320, 768), (576, 448), (100, 37), (641, 479), (1500, 1001), (96, 64), (3, 4), (8000, 4501)]


def resolutions(size, least, most, step):
    area = size * size
    found = {(int(math.sqrt(area) // step) * step,) * 2}
    width = least
    while width <= most:
        height = min(most, int((area // width) // step) * step)
        if height >= least:
            found |= {(width, height), (height, width)}
        width += step
    return sorted(found)


def select(known, width, height):
    ratio = width / height
    reso = (width, height) if (width, height) in set(known) else known[np.abs(np.array([w / h for w, h in known]) - ratio).argmin()]
    scale = reso[1] / height if ratio > reso[0] / reso[1] else reso[0] / width
    resized = (int(width * scale + 0.5), int(height * scale + 0.5))
    return {"photo": [width, height], "bucket": reso, "resized": resized, "left": (resized[0] - reso[0]) // 2, "top": (resized[1] - reso[1]) // 2}


if __name__ == "__main__":
    out = []
    for size, least, most, step in LIMITS:
        known = resolutions(size, least, most, step)
        out.append({"limits": {"size": size, "least": least, "most": most, "step": step}, "buckets": known, "photos": [select(known, *photo) for photo in PHOTOS]})
    file = Path(__file__).parent.parent / "fixtures" / "photos" / "buckets.json"
    file.write_text(json.dumps(out, separators=(",", ":")) + "\n")
