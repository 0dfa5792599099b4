from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.palette import voc_palette
from scribblebench.scribbles.png import encode_labels

labels = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(labels, st.sampled_from(["palette", "grey"]))
def test_another_reader_sees_the_labels(label: np.ndarray, kind: str) -> None:
    data = encode_labels(label, kind)
    with Image.open(io.BytesIO(data)) as picture:
        picture.verify()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == {"palette": "P", "grey": "L"}[kind]
        np.testing.assert_array_equal(np.array(picture), label)
    np.testing.assert_array_equal(read_labels(data), label)


def test_the_palette_is_that_of_voc_masks(voc_mini: Path) -> None:
    with Image.open(voc_mini / "SegmentationClassAug/2007_000032.png") as picture:
        theirs = np.array(picture.getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(voc_palette()[:21], theirs[:21])
