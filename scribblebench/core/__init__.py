"""What every floor stands on: cards, registries, named randomness, files, errors."""
