"""Which code made a result."""

import hashlib
import platform
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


def versions() -> dict[str, str]:
    """The versions of what calculates."""
    return {
        "synaptree": code_version(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "numba")},
    }


@cache
def code_hash() -> str:
    """The first 16 hex digits of a hash of this package's code, edited or not."""
    found = hashlib.sha256()
    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        found.update(f"{file.relative_to(here)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]
