"""``python -m scribblebench`` is the ``scribblebench`` command."""

from scribblebench.cli.main import main

if __name__ == "__main__":
    main()
