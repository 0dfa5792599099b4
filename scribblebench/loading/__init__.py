"""Decoded images and label maps to augmented batches on the device."""
