"""Pictures on disk: one strict reader for photographs, one for label maps; neither gives a wrong pixel."""
