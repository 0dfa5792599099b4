"""What a machine and its folders lack for a grid: one check a file, each tells what it found."""

from scribblebench.doctor.examine import examine
from scribblebench.doctor.finding import Asked, Finding

__all__ = ["Asked", "Finding", "examine"]
