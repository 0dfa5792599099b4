"""Label maps give the values that are stored in them, or are refused; nothing is guessed."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from scribblebench.core.errors import UserError
from scribblebench.pictures.labels import is_plain, read_labels
from scribblebench.pictures.opening import PNG_MAGIC
from scribblebench.pictures.palette import voc_palette

LABEL = np.array([[0, 1, 2, 3], [3, 0, 1, 0], [2, 2, 1, 3]], dtype=np.uint8)
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6


def png(samples: np.ndarray, bits: int, kind: int, colours: np.ndarray | None = None) -> bytes:
    """Write a PNG of any depth sample by sample, as the standard says; Pillow cannot write them all."""
    height, width = samples.shape[:2]
    flat = samples.reshape(height, -1).astype(np.uint32)
    planes = (flat[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(planes.reshape(height, -1).astype(np.uint8), axis=1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    palette = b"" if colours is None else chunk(b"PLTE", colours.astype(np.uint8).tobytes())
    return PNG_MAGIC + header + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", [GREY, PALETTE])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@given(data=st.data())
def test_samples_of_every_depth_are_indices(bits: int, kind: int, data: st.DataObject) -> None:
    shape = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)
    label = data.draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, 2**bits - 1)))
    colours = np.full((2**bits, 3), 90) if kind == PALETTE else None  # colours say nothing
    np.testing.assert_array_equal(read_labels(png(label, bits, kind, colours)), label)


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_colours_that_are_grey_are_labels(tmp_path: Path, mode: str) -> None:
    Image.fromarray(LABEL).convert(mode).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), LABEL)


def test_wide_samples_are_labels_where_they_fit(tmp_path: Path) -> None:
    Image.fromarray(LABEL.astype(np.uint16) * 85).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), LABEL * 85)
    Image.fromarray(LABEL.astype(np.uint16) * 86).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png: 16-bit grey, mode I;?1?6?, and the value 258 is no label"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(("kind", "channels"), [(COLOUR, 3), (GREY_ALPHA, 2), (COLOUR_ALPHA, 4)])
def test_wide_colours_are_refused(kind: int, channels: int) -> None:
    with pytest.raises(UserError, match="label map: 16-bit colours"):
        read_labels(png(np.full((2, 3, channels), 257), 16, kind))


def test_colours_in_place_of_labels_are_refused_with_a_word_on_how_to_go_on(tmp_path: Path) -> None:
    Image.fromarray(voc_palette()[LABEL]).save(tmp_path / "voc.png")
    with pytest.raises(
        UserError, match=r"voc\.png: mode RGB, 4 colours, PASCAL VOC's in place of labels.*to class indices"
    ):
        read_labels(tmp_path / "voc.png")
    Image.fromarray(np.full((4, 4, 3), (7, 9, 9), np.uint8)).save(tmp_path / "own.png")
    with pytest.raises(UserError, match=r"own\.png: mode RGB, 1 colours in place of labels"):
        read_labels(tmp_path / "own.png")


def test_lossy_turned_transparent_and_animated_maps_are_refused(tmp_path: Path) -> None:
    picture, path = Image.fromarray(LABEL), tmp_path / "a.png"
    for name in ("JPEG", "WEBP", "TIFF"):
        picture.save(path, name)
        with pytest.raises(UserError, match=rf"a\.png is a {name} file"):
            read_labels(path)
    exif = Image.Exif()
    exif[0x0112] = 3
    picture.save(path, exif=exif)
    with pytest.raises(UserError, match="turned by its EXIF orientation"):
        read_labels(path)
    picture.save(path, save_all=True, append_images=[Image.fromarray(LABEL[::-1])])
    with pytest.raises(UserError, match="holds 2 pictures"):
        read_labels(path)
    Image.fromarray(np.dstack([LABEL, LABEL, LABEL, LABEL + 200])).save(path)
    with pytest.raises(UserError, match="mode RGBA with transparent pixels"):
        read_labels(path)


def test_a_palette_with_transparency_is_still_indices(tmp_path: Path) -> None:
    picture = Image.fromarray(LABEL)
    picture.putpalette(voc_palette().ravel().tolist())
    picture.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), LABEL)


def test_plain_maps_are_told_from_those_that_others_read_otherwise(tmp_path: Path) -> None:
    for name, data in {
        "grey": png(LABEL, 8, GREY),
        "palette": png(LABEL, 8, PALETTE, voc_palette()),
        "small": png(LABEL, 2, GREY),
        "wide": png(LABEL, 16, GREY),
    }.items():
        (tmp_path / name).write_bytes(data)
        assert is_plain(tmp_path / name) == (name in ("grey", "palette"))
    Image.fromarray(LABEL).convert("RGB").save(tmp_path / "rgb", "PNG")
    assert not is_plain(tmp_path / "rgb")


def test_broken_maps_are_one_line(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(LABEL).save(buffer, "PNG")
    for data in (b"", b"no picture", buffer.getvalue()[:-30]):
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(UserError, match=r"a\.png: cannot be read as a label map"):
            read_labels(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"b\.png is missing"):
        read_labels(tmp_path / "b.png")


def quantised(label: np.ndarray, order: list[int]) -> bytes:
    """Write colours of VOC as a quantiser does: a palette of those there are, in an order of its own."""
    return png(np.argsort(order)[label], 8, PALETTE, voc_palette()[order])


def test_a_palette_in_vocs_order_is_believed() -> None:
    np.testing.assert_array_equal(read_labels(quantised(LABEL, [0, 1, 2, 3])), LABEL)
    np.testing.assert_array_equal(read_labels(png(LABEL, 8, PALETTE, voc_palette())), LABEL)


@pytest.mark.parametrize("order", [[2, 0, 1, 3], [0, 3, 2, 1]])
def test_vocs_colours_in_another_order_are_refused(order: list[int]) -> None:
    with pytest.raises(UserError, match=r"the value \d has the colour that PASCAL VOC gives \d"):
        read_labels(quantised(LABEL, order))


@pytest.mark.parametrize(
    "colours",
    [
        [[0, 0, 0], [255, 0, 0], [0, 128, 0], [128, 0, 0]],  # one is not VOC's
        [[0, 0, 0], [64, 64, 64], [128, 128, 128], [192, 192, 192]],  # shades
    ],
)
def test_palettes_of_ones_own_say_nothing(colours: list[list[int]]) -> None:
    np.testing.assert_array_equal(read_labels(png(LABEL, 8, PALETTE, np.array(colours))), LABEL)
