"""The options of commands that train one rule: settings of its runs, and where they are kept."""

from pathlib import Path
from typing import Annotated, Any

import typer

from synaptree.cli.words import COUNT, NUMBER, PLACE, WHOLE, assignment

RULE = Annotated[
    str,
    typer.Option(
        "--rule",
        help="A rule that `synaptree rules` lists, or your own, as my_rules.py:MyRule; options may "
        "stand behind it, as in 'dfa(scale=2)'.",
    ),
]
VIEWS = Annotated[
    str,
    typer.Option(
        help="Layerwise rules: the view of each layer, V[,V…], lowest first: sibling, "
        "half_mask, half_mask:neurons, same_class, trace:K, same_latent:k, movie:p."
    ),
]
VARIANT = Annotated[
    str,
    typer.Option(
        help="Variant of the grammar: zipf=A, zipf_levels=1+2, noise=E, rule_noise=E, sparse=S0, "
        "sparse_form=B, mixed=SIZE, packed, length=D, correlation_free, rules=FILE; several with "
        "commas."
    ),
]
DATA = Annotated[
    Path | None,
    typer.Option(
        help="Data of your own, an .npz file with x and y, in place of a grammar. Sizes and P then "
        "follow from it, except those that you give.",
        **PLACE,
    ),
]
STRINGS = Annotated[int, typer.Option("--P", help="Number of training strings.", **WHOLE)]
REPLICAS = Annotated[
    int, typer.Option(help="Number of grammars; their seeds count up from --seed.", **COUNT)
]
WIDTH = Annotated[
    int | None,
    typer.Option(help="Units of each layer, at each position (default: 128).", **WHOLE),
]
STEPS = Annotated[
    int | None, typer.Option(help="Number of weight updates (default: 2000).", **WHOLE)
]
BATCH = Annotated[int | None, typer.Option(help="Inputs in each step (default: 128).", **WHOLE)]
LR = Annotated[
    float | None, typer.Option(help="Learning rate (default: adam 0.001, sgd 0.1).", **NUMBER)
]
LR_SCHEDULE = Annotated[
    str | None, typer.Option(help="Course of the learning rate: constant or cosine.")
]
WEIGHT_DECAY = Annotated[
    float | None,
    typer.Option(
        help="Share of itself, times lr, that a weight loses in a step (default: 0).", **NUMBER
    ),
]
SCHEDULE = Annotated[
    str | None,
    typer.Option(
        help="How layers learn: together, or one after the other (sequential or plateau)."
    ),
]
STOP_LOSS = Annotated[
    float | None,
    typer.Option(
        help="Stop as soon as the training loss is below this (default: never).", **NUMBER
    ),
]
VALIDATION = Annotated[
    float | None,
    typer.Option(
        help="Fraction of P held back for early stopping: the best evaluation is kept.", **NUMBER
    ),
]
EVALUATIONS = Annotated[
    int | None, typer.Option(help="How often errors are measured (default: 20 times).", **WHOLE)
]
TESTS = Annotated[
    int | None, typer.Option(help="Number of fresh strings to test on (default: 8192).", **WHOLE)
]
MOMENTUM = Annotated[float | None, typer.Option(help="Of sgd (default: 0.9).", **NUMBER)]
GRAMMAR_SEED = Annotated[
    int | None, typer.Option(help="Seed of the grammar (default: --seed).", **WHOLE)
]
DATA_SEED = Annotated[int | None, typer.Option(help="Seed of the data (default: --seed).", **WHOLE)]
NETWORK_SEED = Annotated[
    int | None, typer.Option(help="Seed of the network (default: --seed).", **WHOLE)
]
READOUT_STEPS = Annotated[
    int | None,
    typer.Option(
        help="How many of the last steps train only the readout, on frozen layers.", **WHOLE
    ),
]
OPTIMIZER = Annotated[str | None, typer.Option(help="Optimiser: adam or sgd.")]
PARAMETRISATION = Annotated[
    str | None, typer.Option(help="Scaling with the width: standard or mean_field.")
]
CONNECTIVITY = Annotated[
    str | None, typer.Option(help="Weights of positions: shared, local or full.")
]
PRECISION = Annotated[
    str | None, typer.Option(help="float32, float64, or bfloat16 (for matrix products).")
]
WEIGHTS = Annotated[
    str | None,
    typer.Option(help="Rule masking, feedback weights: transpose, sign, random, interpolated:α."),
]
MASKS = Annotated[
    str | None,
    typer.Option(
        help="Rule masking, masks: true, none, other_input, batch_mean, mean_jacobian, kept:q, "
        "mixed:q, fresh[:q], frozen[:q], nearest:k, only:l, except:l."
    ),
]
OPTION = Annotated[
    list[str] | None, typer.Option(help="An option of the rule, such as temperature=0.5.")
]
OUT = Annotated[Path | None, typer.Option(help="Also append the results to this folder.", **PLACE)]
SAVE = Annotated[
    Path | None,
    typer.Option(
        help="Keep the trained networks in this folder. If the command is interrupted, the same "
        "command continues.",
        **PLACE,
    ),
]
RESUME = Annotated[
    Path | None,
    typer.Option(help="A saved network with the same settings, to train with more steps.", **PLACE),
]


def typed(context: typer.Context, **settings: str) -> dict[str, Any]:
    """The settings that were typed, and are not there by default; each by the name of its
    parameter."""
    return {
        name: context.params[parameter]
        for name, parameter in settings.items()
        if (source := context.get_parameter_source(parameter)) and source.name != "DEFAULT"
    }


def run_fields(
    rule: str, option: list[str] | None, *, weights: str | None, masks: str | None, **settings: Any
) -> dict[str, Any]:
    """The fields of a `RunSpec` from what was typed.  Settings that were not typed are left out."""
    from synaptree import rules

    options = dict(assignment(text) for text in option or [])
    options |= {k: w for k, w in {"weights": weights, "masks": masks}.items() if w is not None}
    given = {name: value for name, value in settings.items() if value is not None}
    return {"rule": rules.named(rule, **options)} | given
