"""The toy's cheaper annotation: a box around each visible creature and a click on it, in VOC's forms."""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np
from scipy import ndimage

from scribblebench.core.seeds import rng
from scribblebench.scribbles.mark import box_around, window
from scribblebench.sources.toy_paint import SIZE
from scribblebench.sources.toy_scene import Scene

Json = dict[str, float | int]


def boxes_xml(scene: Scene, image: str, classes: tuple[str, ...]) -> bytes:
    """Write the boxes around what is seen of each creature as VOC does, which counts pixels from 1."""
    objects = []
    for number, item in enumerate(scene.objects):
        rows, columns = window(box_around(scene.shown == number, item.class_index))
        sides = {"xmin": columns.start + 1, "ymin": rows.start + 1, "xmax": columns.stop, "ymax": rows.stop}
        bounds = "".join(f"<{name}>{value}</{name}>" for name, value in sides.items())
        name = escape(classes[item.class_index])
        objects.append(f"\t<object><name>{name}</name><bndbox>{bounds}</bndbox></object>\n")
    size = f"<size><width>{SIZE}</width><height>{SIZE}</height><depth>3</depth></size>"
    head = f"<annotation>\n\t<filename>{escape(image)}.png</filename>\n\t{size}\n"
    return (head + "".join(objects) + "</annotation>\n").encode()


def clicks(scene: Scene, seed: int, image: str) -> list[Json]:
    """Click once on each creature, well inside of what is seen of it; larger ones of a class rank first."""
    draw = rng("toy clicks", seed, image)
    found: list[Json] = []
    sizes = [int((scene.shown == number).sum()) for number in range(len(scene.objects))]
    for number in sorted(range(len(scene.objects)), key=lambda n: -sizes[n]):
        inside = np.pad(scene.shown == number, 1)
        depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
        y, x = np.nonzero(depth >= 0.5 * depth.max())
        pick = int(draw.integers(len(y)))
        class_index = scene.objects[number].class_index
        rank = 1 + sum(click["cls"] == class_index for click in found)
        found.append({"x": int(x[pick]), "y": int(y[pick]), "cls": class_index, "rank": rank})
    return found
