"""Datasets on disk: VOC layout, the generated toy, degraded variants. No torch."""
