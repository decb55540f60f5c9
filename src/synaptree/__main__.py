"""``python -m synaptree``: the command line where its script is not on the path."""

from synaptree.cli import main

if __name__ == "__main__":  # worker processes import this module too
    main()
