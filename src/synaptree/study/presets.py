"""The presets of `synaptree reproduce`: which runs judge the claims."""

from importlib import resources
from pathlib import Path

from synaptree.errors import unknown
from synaptree.spec import RunSpec
from synaptree.study.files import read_study

PRESETS = ("quick",)


def preset(name: str) -> list[RunSpec]:
    """All runs of a preset, one for each seed.  Raises SynaptreeError for an unknown preset."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    with resources.as_file(resources.files("synaptree.study").joinpath(f"{name}.yaml")) as path:
        return read_study(Path(path))
