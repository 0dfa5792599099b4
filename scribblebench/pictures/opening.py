"""Open a picture file; whatever is wrong with it is one line with its name."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image

from scribblebench.core.errors import UserError

LIMIT = 2**28
"""Pixels of the largest picture that is opened: 16,384 x 16,384, ten times a large photograph."""

# Pillow's own bound is lower and a mere warning. It stays a guard for those that Pillow looks at first.
Image.MAX_IMAGE_PIXELS = LIMIT
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# A damaged EXIF block is common and says nothing of the pixels; viewers pass over it too.
warnings.filterwarnings("ignore", message="Corrupt EXIF data", category=UserWarning)

# What Pillow raises on damaged files, by trial on many.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
    zlib.error,
    UserWarning,
)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# The first bytes of a PNG, and where its header keeps the bits of a sample and the kind of pixel.
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_DEPTH, _KIND = 24, 25


@contextmanager
def opened(source: Path | bytes, what: str) -> Iterator[Image.Image]:
    """Open a picture for the length of a block; decoding happens in the block.

    Args:
        source: the file, or its bytes.
        what: what it should be, for messages, such as ``photograph``.

    Raises:
        UserError: missing, damaged, no picture, or larger than ``LIMIT``; the same for what the block meets.
    """
    where = source if isinstance(source, Path) else what
    try:
        with Image.open(source if isinstance(source, Path) else BytesIO(source)) as picture:
            check_area(picture.size, where)
            yield picture
    except FileNotFoundError as error:
        raise UserError(f"{where} is missing. Fetch it, or take its id off the list.") from error
    except MemoryError as error:
        raise UserError(f"{where}: not enough memory to decode it.") from error
    except _TOO_LARGE as error:
        raise UserError(f"{where}: more than {LIMIT:,} pixels are refused. Make it smaller.") from error
    except DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{where}: cannot be read as a {what} ({why}). Fetch it again.") from error


def check_area(size: tuple[int, int], where: Path | str) -> None:
    """Look whether a picture has pixels, and no more than ``LIMIT``.

    Raises:
        UserError: it has not.
    """
    width, height = size
    if width * height > LIMIT:
        raise UserError(
            f"{where}: {width} x {height} pixels; more than {LIMIT:,} are refused. Make it smaller."
        )
    if not width or not height:
        raise UserError(f"{where}: {width} x {height} pixels; it is empty. Fetch it again.")


def png_kind(source: Path | bytes) -> tuple[int, int] | None:
    """Bits of a sample and kind of pixel (PNG's colour type) from a PNG's header; None where it is no PNG.

    Pillow does not tell: it halves samples of 16 bits, and spreads those of 2 and 4 over 8.
    """
    head = source[: _KIND + 1] if isinstance(source, bytes) else _first(source, _KIND + 1)
    return (head[_DEPTH], head[_KIND]) if head.startswith(PNG_MAGIC) and len(head) > _KIND else None


def _first(path: Path, count: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return file.read(count) or b""
