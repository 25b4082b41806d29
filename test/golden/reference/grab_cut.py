"""python grab_cut.py: OpenCV's grabCut from an ellipse around the sample subject (pip install opencv-python-headless).

Writes ../fixtures/segmentation/: photo.png (RGB), trimap.png (0 background, 2 unknown and taken for the background, 3 unknown and
taken for the subject) and expected.png (255 where the subject is).
"""

from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
OUT = HERE.parent / "fixtures" / "segmentation"

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    photo = cv2.imread(str(HERE.parents[2] / "resources" / "sample-subject" / "03.jpg"))
    height, width = photo.shape[:2]
    scale = 160 / max(width, height)
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    trimap = np.zeros((h, w), np.uint8)
    cv2.ellipse(trimap, (w // 2, h // 2), (int(0.46 * w), int(0.47 * h)), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.imwrite(str(OUT / "photo.png"), small)
    cv2.imwrite(str(OUT / "trimap.png"), trimap)
    mask, own, other = trimap.copy(), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, mask, None, own, other, 5, cv2.GC_INIT_WITH_MASK)
    found = ((mask & 1) * 255).astype(np.uint8)
    cv2.imwrite(str(OUT / "expected.png"), found)
    print(w, h, (found > 0).mean())
