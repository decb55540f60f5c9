"""The options of `synaptree train`: the settings of a run, and where what it makes is kept."""

from pathlib import Path
from typing import Annotated

import typer

from synaptree.cli.words import COUNT, NUMBER, PLACE, WHOLE

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
STRINGS = Annotated[int, typer.Option("--P", help="Training-set size.", **WHOLE)]
REPLICAS = Annotated[int, typer.Option(help="Grammars, seeds S … S+R-1.", **COUNT)]
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
OUT = Annotated[Path | None, typer.Option(help="Also append to the results here.", **PLACE)]
SAVE = Annotated[
    Path | None,
    typer.Option(
        help="Keep the trained networks here; if interrupted, the same command goes on.", **PLACE
    ),
]
RESUME = Annotated[
    Path | None,
    typer.Option(help="Go on from a saved network of the same settings, with more steps.", **PLACE),
]
