"""torchvision's models, imported when a backbone needs them."""

from __future__ import annotations

import importlib
from typing import Any

from scribblebench.core.errors import UserError


def torchvision_models() -> Any:
    """Import ``torchvision.models``.

    Raises:
        UserError: torchvision was built for another torch ("operator torchvision::nms does not exist").
    """
    try:
        return importlib.import_module("torchvision.models")
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(
            f"torchvision cannot be imported: {' '.join(str(error).split())}. Install the torch and "
            "torchvision of one release, such as torch 2.11 with torchvision 0.26."
        ) from error
