"""torchvision, imported when a part of it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from scribblebench.core.errors import UserError


def torchvision(module: str) -> Any:
    """Import a module of torchvision, such as ``models``.

    Raises:
        UserError: torchvision was built for another torch ("operator torchvision::nms does not exist").
    """
    try:
        return importlib.import_module(f"torchvision.{module}")
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(
            f"torchvision cannot be imported: {' '.join(str(error).split())}. Install the torch and "
            "torchvision of one release, such as torch 2.11 with torchvision 0.26."
        ) from error
