"""Photographs are seen as a person sees them, or refused; their size is that of their pixels."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from scribblebench.core.errors import UserError
from scribblebench.pictures import opening
from scribblebench.pictures.photographs import read_photograph
from scribblebench.pictures.size import picture_size, stored_size

PIXELS = np.random.default_rng(3).integers(0, 256, (18, 26, 3), dtype=np.uint8)


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = "a note " * 40
    return found


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()


def behind_the_pixels(path: Path, orientation: int) -> None:
    """A PNG whose EXIF chunk is the last but one, as the standard allows."""
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    body = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf" + body
    chunk = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = buffer.getvalue()
    path.write_bytes(data[:-12] + chunk + data[-12:])


def saved(name: str, **options: object) -> Callable[[Path, int], None]:
    return lambda path, turn: Image.fromarray(PIXELS).save(path, name, exif=exif(turn), **options)


TURNED: dict[str, Callable[[Path, int], None]] = {
    "jpg": saved("JPEG", quality=95),
    "progressive.jpg": saved("JPEG", progressive=True),
    "xmp.jpg": lambda path, turn: Image.fromarray(PIXELS).save(path, "JPEG", xmp=xmp(turn)),
    "png": saved("PNG"),
    "late.png": behind_the_pixels,
    "webp": saved("WEBP", lossless=True),
    "tif": saved("TIFF"),
    "lzw.tif": saved("TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", TURNED)
def test_the_orientation_turns_pixels_and_size_alike(tmp_path: Path, form: str, turn: int) -> None:
    path, upright = tmp_path / f"turned.{form}", tmp_path / f"upright.{form}"
    TURNED[form](path, turn)
    TURNED[form](upright, 1)
    with Image.open(upright) as picture:
        picture.getexif()[0x0112] = turn
        expected = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    found = read_photograph(path)
    np.testing.assert_array_equal(found, expected)
    assert picture_size(path) == found.shape[1::-1]
    if not form.endswith("tif"):
        assert stored_size(path) == (26, 18)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # as the program itself does
def test_a_damaged_exif_block_turns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(PIXELS).save(path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03\0\0\xff\xff")
    assert read_photograph(path).shape == (18, 26, 3)
    assert picture_size(path) == (26, 18)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        *(("L", "png"), ("P", "png"), ("1", "png"), ("RGBA", "png"), ("LA", "png"), ("P", "gif")),
        *(("L", "jpg"), ("YCbCr", "jpg"), ("CMYK", "jpg"), ("CMYK", "tif"), ("RGB", "bmp"), ("RGB", "webp")),
    ],
)
def test_eight_bits_of_any_kind_become_rgb(tmp_path: Path, mode: str, name: str) -> None:
    path = tmp_path / f"a.{name}"
    Image.fromarray(PIXELS).convert(mode).save(path)
    found = read_photograph(path)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(found, np.asarray(picture.convert("RGB")))
    assert found.shape == (18, 26, 3)
    assert found.dtype == np.uint8
    assert picture_size(path) == (26, 18)


def png16(path: Path, kind: int, channels: int) -> None:
    """A PNG of 16 bits a sample, which Pillow itself cannot write in colour."""
    samples = np.full((4, 5 * channels), 40_000, dtype=">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 5, 4, 16, kind, 0, 0, 0)
    path.write_bytes(
        opening.PNG_MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_refused_in_grey_and_in_colour(tmp_path: Path, kind: int, channels: int) -> None:
    png16(tmp_path / "a.png", kind, channels)
    with pytest.raises(UserError, match=r"a\.png: 16-bit photograph, mode .*Scale it to 8 bits first"):
        read_photograph(tmp_path / "a.png")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_deep_tiffs_are_refused(tmp_path: Path, dtype: type) -> None:
    Image.fromarray(PIXELS[:, :, 0].astype(dtype) * 100).save(tmp_path / "ct.tif")
    bits = np.dtype(dtype).itemsize * 8
    with pytest.raises(UserError, match=rf"ct\.tif: {bits}-bit photograph"):
        read_photograph(tmp_path / "ct.tif")


def transparent(mode: str) -> Image.Image:
    picture = Image.fromarray(PIXELS).convert(mode)
    if mode == "P":
        picture.info["transparency"] = picture.getpixel((3, 3))
        return picture
    picture.putpixel((3, 3), (*picture.getpixel((3, 3))[:-1], 7))
    return picture


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_refused(tmp_path: Path, mode: str) -> None:
    transparent(mode).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png has transparent pixels"):
        read_photograph(tmp_path / "a.png")


def test_several_pictures_in_a_file_are_refused_but_not_a_phones_preview(tmp_path: Path) -> None:
    one, other = Image.fromarray(PIXELS), Image.fromarray(PIXELS[::-1])
    for name in ("a.gif", "a.png", "a.tif", "a.webp"):
        one.save(tmp_path / name, save_all=True, append_images=[other])
        with pytest.raises(UserError, match=rf"{name} holds 2 pictures"):
            read_photograph(tmp_path / name)
    one.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[other], subsampling=0)
    assert np.abs(read_photograph(tmp_path / "phone.jpg").astype(int) - PIXELS).mean() < 20


def test_other_formats_are_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", "PPM")
    with pytest.raises(UserError, match=r"a\.jpg is a PPM file"):
        read_photograph(tmp_path / "a.jpg")


def test_a_header_that_promises_too_much_is_refused_from_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    png16(path, 0, 1)
    data = bytearray(path.read_bytes())
    for side in (20_000, 60_000):
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        path.write_bytes(data)
        for read in (read_photograph, picture_size, stored_size):
            with pytest.raises(UserError, match=r"bomb\.png: .*more than 268,435,456.* are refused"):
                read(path)


def test_a_picture_below_the_limit_is_read_without_a_warning(tmp_path: Path) -> None:
    Image.new("L", (10_000, 9_500)).save(tmp_path / "large.png")  # Pillow warns from 89 million pixels on
    assert picture_size(tmp_path / "large.png") == (10_000, 9_500)
    with opening.opened(tmp_path / "large.png", "photograph") as picture:
        assert picture.size == (10_000, 9_500)


@pytest.mark.parametrize("form", ["jpg", "png", "webp"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path, form: str) -> None:
    TURNED[form](tmp_path / f"whole.{form}", 6)
    whole = (tmp_path / f"whole.{form}").read_bytes()
    draw, path = random.Random(5), tmp_path / f"broken.{form}"  # noqa: S311 - a test's own choices
    errors = []
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 3, 10))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data[: draw.randrange(len(data))] if draw.random() < 0.3 else data)
        for read in (read_photograph, picture_size):
            try:
                read(path)
            except UserError as error:
                errors.append(str(error))
    assert errors
    assert all(str(path) in error and "\n" not in error for error in errors)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"<svg/>"])
def test_no_picture_at_all_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    for read in (read_photograph, picture_size, stored_size):
        with pytest.raises(UserError, match=r"a\.jpg: cannot be read as a"):
            read(tmp_path / "a.jpg")
        with pytest.raises(UserError, match=r"b\.jpg is missing"):
            read(tmp_path / "b.jpg")
