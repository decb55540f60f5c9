"""Which code made a result."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def code_version() -> str:
    """The package's version and, in a git checkout, its commit (``+dirty`` if files differ)."""
    release = version("synaptree")
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True, timeout=5
        )
        return done.stdout.strip()

    try:
        commit = git("rev-parse", "--short=10", "HEAD")
        # Only a checkout of this package counts, not a repository that merely contains its venv.
        git("ls-files", "--error-unmatch", str(Path(__file__)))
        dirty = "+dirty" if git("status", "--porcelain", "--untracked-files=no", str(here)) else ""
    except (OSError, subprocess.SubprocessError):
        return release
    return f"{release} ({commit}{dirty})"
