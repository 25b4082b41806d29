"""HEIC photos as phones write them; needs pillow-heif besides Pillow. Writes fixtures/heic/: each photo and, as NAME.png, what it shows in sRGB.

turned: EXIF says 6, which the encoder writes as `irot`. p3: Display P3's primaries as an ICC profile. second: another picture beside
the main one. alpha: transparent on the right. Sixteen-pixel fields of one colour each, so that compression changes little.
"""

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms


def fields(colours):
    """[48,64] in fields of 16 pixels."""
    rows = [[colours[(x + 2 * y) % len(colours)] for x in range(4)] for y in range(3)]
    return Image.fromarray(np.array(rows, np.uint8).repeat(16, 0).repeat(16, 1))


def display_p3():
    """An ICC profile with Display P3's primaries (adapted to D50) and sRGB's curve: sRGB's own with other columns."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    columns = {b"rXYZ": (0.51512, 0.2412, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189), b"bXYZ": (0.1571, 0.06657, 0.78407)}
    for i in range(struct.unpack(">I", profile[128:132])[0]):
        name, offset, _ = struct.unpack(">4sII", profile[132 + 12 * i : 144 + 12 * i])
        if name in columns:
            profile[offset + 8 : offset + 20] = struct.pack(">3i", *(round(65536 * value) for value in columns[name]))
    return bytes(profile)


def main():
    out = Path(__file__).parent.parent / "fixtures" / "heic"
    out.mkdir(parents=True, exist_ok=True)
    image = fields([(230, 120, 20), (20, 60, 200), (240, 240, 240), (40, 160, 70), (90, 30, 120)])

    def write(name, image, shown, extra=()):
        file = pillow_heif.from_pillow(image)
        for one in extra:
            file.add_from_pillow(one)
        file.save(out / f"{name}.heic", quality=98, chroma=444)
        shown.save(out / f"{name}.png")

    write("plain", image, image)
    exif = Image.Exif()
    exif[0x112] = 6
    pillow_heif.register_heif_opener()
    image.save(out / "turned.heic", exif=exif.tobytes(), quality=98, chroma=444)
    image.transpose(Image.ROTATE_270).save(out / "turned.png")
    p3 = image.copy()
    p3.info["icc_profile"] = display_p3()
    shown = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(display_p3())), ImageCms.createProfile("sRGB"))
    write("p3", p3, shown)
    write("second", image, image, [image.transpose(Image.FLIP_LEFT_RIGHT)])
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(np.where(np.arange(64) < 32, 255, 0).astype(np.uint8)[None].repeat(48, 0)))
    write("alpha", alpha, alpha)


if __name__ == "__main__":
    main()
