"""What ``import scribblebench as sb`` offers to people who train with their own code (docs/api.md)."""
