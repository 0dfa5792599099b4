"""scribblebench: how far does a segmentation method fall when its scribbles get worse?

``import scribblebench as sb`` costs nothing: each name is imported when it is first used. What there is, and
from where, stands in ``__init__.pyi``.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
