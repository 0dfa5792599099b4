"""scribblebench: how far does a segmentation method fall when its scribbles get worse?"""

__version__ = "0.1.0"
