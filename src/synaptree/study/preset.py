"""The presets of `synaptree reproduce`: which runs judge the claims."""

from importlib import resources
from typing import get_args

from synaptree.errors import unknown
from synaptree.study.files import Study, study_file
from synaptree.study.write import study_text
from synaptree.training.precision import Precision
from synaptree.training.spec import RunSpec

PRESETS = ("quick", "laptop", "full")


def preset(name: str, precision: str | None = None) -> list[RunSpec]:
    """The runs of a preset.  Raises SynaptreeError as `preset_study` does."""
    return preset_study(name, precision).specs


def preset_study(name: str, precision: str | None = None) -> Study:
    """The runs of a preset, one for each seed, in the preset's precision or in another.

    Rules that need all digits of float32 keep them where bfloat16 is asked for.
    Raises SynaptreeError for an unknown preset or precision.
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    if precision not in (None, *get_args(Precision)):
        raise unknown("precision", precision, get_args(Precision))
    file = resources.files("synaptree.study").joinpath("presets", f"{name}.yaml")
    with resources.as_file(file) as path:
        study = study_file(path)
    if precision is None:
        return study
    specs = [
        spec
        if spec.rule.needs_digits and precision == "bfloat16"
        else spec.model_copy(update={"precision": precision})
        for spec in study.specs
    ]
    return Study(specs, study_text(specs))
