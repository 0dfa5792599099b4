"""How fast is make-dataset, against a straightforward converter of the same strokes?

The annotations of a folder in VOC layout are repeated under new names up to ``--count``. Our whole job
(read, check, shrink by half or drop half, write XML, draw and write label maps, manifest with every
file's SHA-256) runs on all of them with ``--workers`` processes; a converter as one writes it in an
afternoon (minidom, Pillow's lines and discs, a PNG saved with its defaults, no degradation and no
manifest) runs on 500 of them in one process, half of them before our job and half after it. A drop also
reads the masks, to tell objects apart.

    python benchmarks/make_dataset.py --data-dir VOC --count 12031 --workers 2 [--points 450]

Prints ``KIND: images_per_second=.. converter_images_per_second=.. ratio=..`` for each kind of
degradation, where the ratio is that of one process: (images_per_second / workers) /
converter_images_per_second.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from xml.dom import minidom

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scribblebench.core.library import Library
from scribblebench.scribbles.polyline import arc_lengths, at
from scribblebench.scribbles.stroke import Annotation, Points, Stroke, rounded
from scribblebench.scribbles.xml import tags_of, write_xml
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import make_variant, open_variant

CONVERTED = 500
KINDS = ("shrink", "drop")
CARD = Library().dataset("voc2012")
IDS = {tag: i for i, tag in enumerate(tags_of(CARD))}


def denser(annotation: Annotation, count: int) -> Annotation:
    """Place ``count`` points along the strokes of an image, where they would be without a gap."""
    lengths = [arc_lengths(stroke.points) for stroke in annotation.strokes]
    total = sum(float(length[-1]) for length in lengths)
    strokes = []
    for stroke, length in zip(annotation.strokes, lengths, strict=True):
        points: Points = stroke.points
        if len(points) > 1:
            number = max(2, round(count * float(length[-1]) / total))
            places = np.linspace(0, float(length[-1]), number)
            points = np.concatenate([at(points, length, float(place)) for place in places])
        strokes.append(Stroke(stroke.class_index, rounded(points)[0]))
    return Annotation(annotation.image, annotation.width, annotation.height, tuple(strokes))


def repeat(source: DatasetFolder, count: int, points: int | None, root: Path) -> DatasetFolder:
    """Build a dataset of ``count`` images out of another one; photographs and masks are links."""
    layout = CARD.layout
    for folder in (layout.images, layout.masks, layout.strokes, layout.lists):
        (root / folder).mkdir(parents=True)
    originals = sorted((source.root / layout.strokes).glob("*.xml"))
    names = []
    for i in range(count):
        original = originals[i % len(originals)]
        image = original.stem
        names.append(f"{image}_{i // len(originals):03d}")
        (root / layout.images / f"{names[-1]}.jpg").symlink_to(source.image_path(image).resolve())
        (root / layout.masks / f"{names[-1]}.png").symlink_to(source.mask_path(image).resolve())
        target = root / layout.strokes / f"{names[-1]}.xml"
        if i >= len(originals):
            shutil.copyfile(root / layout.strokes / f"{image}_000.xml", target)
        elif points is None:
            shutil.copyfile(original, target)
        else:
            target.write_bytes(write_xml(denser(source.annotation(image), points), tags_of(CARD)))
    (root / layout.lists / "train.txt").write_text("\n".join(names), encoding="utf-8")
    return open_dataset(CARD, root)


def text_of(element: minidom.Element) -> str:
    """Text of an element that holds nothing else."""
    return str(element.firstChild.data)  # type: ignore[union-attr] # a converter trusts its files


def convert(xml: Path, png: Path) -> None:
    """One annotation to a label map, as a straightforward converter does it."""
    document = minidom.parse(str(xml))  # noqa: S318 - the converter we compare with trusts its files
    size = tuple(int(text_of(document.getElementsByTagName(name)[0])) for name in ("width", "height"))
    picture = Image.new("L", (size[0], size[1]), 255)
    drawing = ImageDraw.Draw(picture)
    for polygon in document.getElementsByTagName("polygon"):
        label = IDS[text_of(polygon.getElementsByTagName("tag")[0])]
        points = [
            (int(text_of(p.getElementsByTagName("X")[0])), int(text_of(p.getElementsByTagName("Y")[0])))
            for p in polygon.getElementsByTagName("point")
        ]
        if len(points) > 1:
            drawing.line(points, fill=label, width=3, joint="curve")
        for x, y in points:
            drawing.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=label)
    picture.save(png)


def processor_seconds() -> float:
    """Processor time of this process and of its workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(work: Callable[[], object]) -> NDArray[np.float64]:
    """Wall-clock and processor seconds of some work."""
    wall, processor = time.perf_counter(), processor_seconds()
    work()
    return np.array([time.perf_counter() - wall, processor_seconds() - processor])


def convert_all(xmls: list[Path], out: Path) -> None:
    """Convert annotations; files are written anew, as ours are."""
    out.mkdir()
    for xml in xmls:
        convert(xml, out / f"{xml.stem}.png")


def main() -> None:
    """Measure, and print a line for each kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12031)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--points", type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        dataset = repeat(
            open_dataset(CARD, arguments.data_dir), arguments.count, arguments.points, work / "source"
        )
        xmls = sorted((work / "source" / CARD.layout.strokes).glob("*.xml"))[:CONVERTED]
        for kind in KINDS:
            measure(kind, dataset, xmls, arguments.workers, work / kind)


def measure(kind: str, dataset: DatasetFolder, xmls: list[Path], workers: int, folder: Path) -> None:
    """Make one variant between two halves of the converter's work, and print a line."""
    folder.mkdir()
    count, half = len(dataset.ids("train")), len(xmls) // 2
    converting = timed(lambda: convert_all(xmls[:half], folder / "one"))
    spec = VariantSpec.of(kind, 0.5)
    making = timed(lambda: make_variant(dataset, "train", spec, folder / "out", workers))
    converting += timed(lambda: convert_all(xmls[half:], folder / "other"))
    assert open_variant(folder / "out").head.totals.images == count
    report(kind, making, count, converting, len(xmls), workers)


def report(
    kind: str,
    making: NDArray[np.float64],
    made: int,
    converting: NDArray[np.float64],
    converted: int,
    workers: int,
) -> None:
    """Print the line, and what explains it to stderr."""
    ours, theirs = made / making[0], converted / converting[0]
    ratio = ours / workers / theirs
    print(f"{kind}: images_per_second={ours:.1f} converter_images_per_second={theirs:.1f} ratio={ratio:.2f}")
    # On a busy machine processor time is the fairer measure: two workers wait more often than one converter.
    each = 1e3 * making[1] / made, 1e3 * converting[1] / converted
    peak = [
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(
        f"{making[0]:.1f} s; processor time {each[0]:.2f} ms an image, converter {each[1]:.2f} ms; "
        f"peak memory {peak[0]:.0f} MB, of a worker {peak[1]:.0f} MB",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
