"""Photographs: 8-bit RGB as a person sees it. What would have to be clipped or guessed is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageOps, features
from PIL.ExifTags import Base

from scribblebench.core.errors import UserError
from scribblebench.pictures.opening import DAMAGE, opened, png_kind

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""What a photograph's file name may end in, in upper or lower case."""

# The other formats that Pillow opens say less clearly how deep their samples are.
_FORMATS = ("JPEG", "MPO", "PNG", "BMP", "GIF", "TIFF", "WEBP")
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_BITS_PER_SAMPLE = 258
_SCALE = "Scale it to 8 bits first, all photographs of the dataset alike."


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """Read a photograph, turned as its EXIF orientation says.

    Grey, palette and CMYK pictures become RGB. An opaque alpha channel is dropped.

    Returns:
        uint8 (height, width, 3).

    Raises:
        UserError: missing, damaged, larger than ``LIMIT``, of another format, animated, with transparent
            pixels, or of more than 8 bits a sample.
    """
    with opened(path, "photograph") as picture:
        _check(picture, path)
        if has_transparency(picture):
            raise UserError(
                f"{path} has transparent pixels, and what lies under them is not what a person sees. "
                "Lay it on a background first."
            )
        upright = ImageOps.exif_transpose(picture) if is_turned(picture) else picture
        return np.array(upright.convert("RGB"))


def _check(picture: Image.Image, path: Path) -> None:
    if picture.format not in _FORMATS:
        raise UserError(f"{path} is a {picture.format} file. Save photographs as JPEG or PNG.")
    bits = _bits(picture, path)
    if bits > 8:
        raise UserError(f"{path}: {bits}-bit photograph, mode {picture.mode}. {_SCALE}")
    if picture.mode not in _MODES:
        raise UserError(f"{path}: photograph of mode {picture.mode}. Save it as 8-bit RGB.")
    # A JPEG may hold more than one (MPO): previews and depths after the photograph itself.
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format not in ("JPEG", "MPO"):
        raise UserError(f"{path} holds {frames} pictures. Save the one that is meant alone.")


def _bits(picture: Image.Image, path: Path) -> int:
    """Bits of a sample; Pillow halves some of 16 bits as it opens them."""
    kind = png_kind(path)
    if kind is not None:
        return kind[0]
    if picture.format == "TIFF":
        return int(np.max(getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, 1)))
    return 16 if picture.mode.startswith("I;16") else 32 if picture.mode in ("I", "F") else 8


def has_transparency(picture: Image.Image) -> bool:
    """Tell whether any pixel of a picture is not opaque."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return False
    return picture.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def is_turned(picture: Image.Image) -> bool:
    """Tell whether EXIF (or XMP) says that the pixels are not stored upright."""
    return orientation(picture) in range(2, 9)


def orientation(picture: Image.Image) -> int:
    """EXIF orientation from 1 to 8; 1, upright, where none can be read.

    A TIFF is turned by Pillow itself as it is decoded, and is upright then.
    """
    try:
        if picture.format == "TIFF":
            picture.load()
        return int(picture.getexif().get(Base.Orientation, 1))
    except DAMAGE:
        return 1


def decoder() -> str:
    """Name what turns files into pixels here: another version may round differently."""
    return f"{PIL.__version__} {features.version('jpg')} {features.version('zlib')}"
