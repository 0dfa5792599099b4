"""Records: one JSON a cell, written atomically, guarded by locks."""
