"""The options of commands that train one rule: the settings of its runs."""

from typing import Annotated, Any

import typer

from synaptree.cli.words import NUMBER, WHOLE, assignment

RULE = Annotated[
    str,
    typer.Option("--rule", help="The rule; `synaptree rules` lists them.  Or my_rules.py:MyRule."),
]
VIEWS = Annotated[
    str,
    typer.Option(
        help="For layerwise rules, V[,V…] from below: sibling, half_mask, half_mask:neurons, "
        "same_class, trace:K, same_latent:k, movie:p."
    ),
]
WIDTH = Annotated[int | None, typer.Option(help="Units of a layer.  [default: 128]", **WHOLE)]
STEPS = Annotated[int | None, typer.Option(help="Updates.  [default: 2000]", **WHOLE)]
BATCH = Annotated[int | None, typer.Option(help="Inputs a step.  [default: 128]", **WHOLE)]
LR = Annotated[
    float | None, typer.Option(help="Learning rate.  [default: adam 0.001, sgd 0.1]", **NUMBER)
]
LR_SCHEDULE = Annotated[str | None, typer.Option(help="constant or cosine.")]
WEIGHT_DECAY = Annotated[
    float | None,
    typer.Option(help="What weights lose, times lr, a step.  [default: 0]", **NUMBER),
]
SCHEDULE = Annotated[
    str | None,
    typer.Option(help="together, or one layer after the other: sequential, plateau."),
]
STOP_LOSS = Annotated[
    float | None,
    typer.Option(help="Stop once the training loss is below.  [default: never]", **NUMBER),
]
VALIDATION = Annotated[
    float | None,
    typer.Option(help="Part of P held back to choose the best evaluation.", **NUMBER),
]
READOUT_STEPS = Annotated[
    int | None,
    typer.Option(
        help="The last of the steps, in which the readout learns on frozen layers.", **WHOLE
    ),
]
OPTIMIZER = Annotated[str | None, typer.Option(help="adam or sgd.")]
PARAMETRISATION = Annotated[str | None, typer.Option(help="standard or mean_field.")]
CONNECTIVITY = Annotated[str | None, typer.Option(help="shared or local.")]
PRECISION = Annotated[str | None, typer.Option(help="float32, float64 or bfloat16 (its products).")]
WEIGHTS = Annotated[
    str | None, typer.Option(help="masking: transpose, sign, random or interpolated:α.")
]
MASKS = Annotated[
    str | None,
    typer.Option(
        help="masking: true, none, other_input, batch_mean, mean_jacobian, kept:q, nearest:k."
    ),
]
OPTION = Annotated[
    list[str] | None, typer.Option(help="Any option of the rule, as temperature=0.5.")
]


def run_fields(
    rule: str, option: list[str] | None, *, weights: str | None, masks: str | None, **settings: Any
) -> dict[str, Any]:
    """The fields of a `RunSpec` from what was typed; settings that were not are left out."""
    from synaptree import rules

    options = dict(assignment(text) for text in option or [])
    options |= {k: w for k, w in {"weights": weights, "masks": masks}.items() if w is not None}
    given = {name: value for name, value in settings.items() if value is not None}
    return {"rule": rules.get(rule, **options)} | given
