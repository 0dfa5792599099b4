"""A package, so that no benchmark of the same name is taken for it."""
