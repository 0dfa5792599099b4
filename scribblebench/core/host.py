"""The name of this machine among those that share a folder."""

from __future__ import annotations

import os
import socket

# Containers on several machines may all bear one name; whoever starts them knows better ones.
_VARIABLE = "SCRIBBLEBENCH_HOST"


def host_name() -> str:
    """Return the machine's own name, or what the environment variable SCRIBBLEBENCH_HOST says instead."""
    return os.environ.get(_VARIABLE) or socket.gethostname()
