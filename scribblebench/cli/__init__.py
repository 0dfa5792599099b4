"""One click command a file; the rest is imported when a command is called."""
