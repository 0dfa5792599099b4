"""TreeEnergyLoss: one zip of XML strokes, which it draws itself, beside its own copy of VOC and SBD."""

from __future__ import annotations

import io
import zipfile
from typing import ClassVar

from scribblebench.core.files import write_atomic
from scribblebench.scribbles.png import Labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.layouts import LAYOUTS, Complete
from scribblebench.sources.variant import Variant

ARCHIVE = "voc_scribbles.zip"
EMPTY = "voc_scribbles_without_strokes.txt"
# The oldest date a zip can hold: equal strokes give equal archives.
_DATE = (1980, 1, 1, 0, 0, 0)


@LAYOUTS.register
class Tel(Complete, frozen=True):
    """``voc_scribbles.zip``. Its reader stops at an image without strokes, so those are left out.

    They are listed in a file of their own: their ids must also leave the lists that TEL trains on.
    """

    labels: ClassVar[Labels] = "palette"

    def complete(self, variant: Variant, dataset: DatasetFolder) -> None:
        """Add the archive, and the list of images left out."""
        del dataset
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for record in variant.manifest.images:
                if record.kept:
                    entry = zipfile.ZipInfo(f"{record.image}.xml", _DATE)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(entry, variant.annotation_path(record.image).read_bytes())
        write_atomic(variant.root / ARCHIVE, buffer.getvalue())
        empty = [record.image for record in variant.manifest.images if not record.kept]
        write_atomic(variant.root / EMPTY, "".join(f"{image}\n" for image in empty))
