"""Named randomness: a draw is fixed by the names it is declared to depend on, and by nothing else.

No draw depends on call order, on the number of workers or on which other images are present.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

Name = str | int | float


def _digest(names: tuple[Name, ...]) -> bytes:
    # JSON keeps ("a", "b") and ("a/b",) apart, and 1 and "1".
    return hashlib.sha256(json.dumps(names, ensure_ascii=False).encode("utf-8")).digest()


def uniform(*names: Name) -> float:
    """Draw one number from [0, 1), the same on every machine and every numpy.

    >>> uniform("shrink", 0, "2007_000032", 3)
    0.6492698992718506
    """
    return (int.from_bytes(_digest(names)[:8], "big") >> 11) / 2**53


def integer_seed(*names: Name) -> int:
    """Return a 63-bit seed for a generator of another library, such as torch.

    >>> integer_seed("weights", 0) == integer_seed("weights", 0) != integer_seed("weights", 1)
    True
    """
    return int.from_bytes(_digest(names)[:8], "big") >> 1


def rng(*names: Name) -> np.random.Generator:
    """Return a numpy generator seeded by the SHA-256 of the names.

    >>> bool(rng("toy", 1).random() == rng("toy", 1).random())
    True
    """
    return np.random.Generator(np.random.PCG64(int.from_bytes(_digest(names), "big")))
