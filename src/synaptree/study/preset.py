"""The presets of `synaptree reproduce`: which runs judge the claims."""

from importlib import resources
from pathlib import Path
from typing import get_args

from synaptree.errors import unknown
from synaptree.study.files import read_study
from synaptree.training.precision import Precision
from synaptree.training.spec import RunSpec

PRESETS = ("quick", "laptop", "full")


def preset(name: str, precision: str | None = None) -> list[RunSpec]:
    """All runs of a preset, one for each seed, in the precision that it names or another.

    Rules that need all digits of float32 keep them where bfloat16 is asked for.
    Raises SynaptreeError for an unknown preset or precision.
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    if precision not in (None, *get_args(Precision)):
        raise unknown("precision", precision, get_args(Precision))
    with resources.as_file(
        resources.files("synaptree.study").joinpath("presets", f"{name}.yaml")
    ) as path:
        specs = read_study(Path(path))
    if precision is None:
        return specs
    return [
        spec
        if spec.rule.needs_digits and precision == "bfloat16"
        else spec.model_copy(update={"precision": precision})
        for spec in specs
    ]
