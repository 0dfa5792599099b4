"""One cell: train, keep, evaluate."""
