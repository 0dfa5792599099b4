"""A package, so that other tests can name its contract."""
