"""The presets of `synaptree reproduce`: which runs judge the claims."""

from importlib import resources

import yaml

from synaptree.errors import unknown
from synaptree.spec import RunSpec, make_spec

PRESETS = ("quick",)


def preset(name: str) -> list[RunSpec]:
    """All runs of a preset, one for each seed.  Raises SynaptreeError for an unknown preset."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    text = resources.files("synaptree.study").joinpath(f"{name}.yaml").read_text("utf-8")
    study = yaml.safe_load(text)
    return [
        make_spec(**run, grammar_seed=seed, data_seed=seed, network_seed=seed)
        for run in study["runs"]
        for seed in study["seeds"]
    ]
