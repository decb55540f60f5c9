"""`synaptree signal`: signal and noise of each rule's update, layer by layer."""

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.run_settings import PARAMETRISATION, WIDTH
from synaptree.cli.words import (
    AS_JSON,
    COUNT,
    DEPTH,
    DEVICE,
    NUMBER,
    SEED,
    WHOLE,
    M,
    N,
    S,
    V,
    assignment,
    terminal,
    whole,
)
from synaptree.errors import SynaptreeError, shown

if TYPE_CHECKING:
    from synaptree.rules import Rule

MOST = {"strings": 10**9, "steps": 10**7, "replicas": 10**4}


def listed(text: str) -> str:
    """Whole numbers with commas between them, in their plain spelling."""
    try:
        numbers = [whole(word) for word in text.split(",")]
    except typer.BadParameter:
        numbers = [-1]
    if not 0 <= min(numbers) <= max(numbers) <= MOST["steps"]:
        raise typer.BadParameter(
            f"{shown(text)} given; expected whole numbers up to {MOST['steps']}, as 0,300"
        )
    return ",".join(map(str, numbers))


RULES = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        help="A rule with its options, as dfa or masking,masks=none; may be repeated "
        "(default: backprop, masks from none to random, and direct feedback).",
    ),
]
LEARNED = Annotated[int, typer.Option("--P", help="Strings that backprop learns.", **WHOLE)]
GRAMMARS = Annotated[int, typer.Option(help="Grammars, seeds S … S+R-1.", **COUNT)]
AT = Annotated[
    str,
    typer.Option(
        help="After how many of backprop's steps, as 0,300; 0 is the start.",
        parser=listed,
        metavar="INTEGER[,…]",
    ),
]
STRINGS = Annotated[int, typer.Option(help="Fresh strings, drawn anew each time.", **COUNT)]
LR = Annotated[
    float | None, typer.Option(help="Learning rate of backprop (default: 0.001).", **NUMBER)
]
WEIGHT_DECAY = Annotated[
    float | None, typer.Option(help="Weight decay of backprop (default: 0).", **NUMBER)
]


def signal(
    rule: RULES = None,
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 4,
    P: LEARNED = 16384,
    seed: SEED = 0,
    replicas: GRAMMARS = 1,
    steps: AT = "0",
    strings: STRINGS = 2**15,
    width: WIDTH = None,
    lr: LR = None,
    weight_decay: WEIGHT_DECAY = None,
    parametrisation: PARAMETRISATION = None,
    device: DEVICE = "cpu",
    as_json: AS_JSON = False,
) -> None:
    """Signal and noise of each rule's update, layer by layer, while backprop trains the network."""
    from dataclasses import asdict

    from synaptree.cli.tables.signal import print_signal
    from synaptree.study.check import check
    from synaptree.training.process import prepare
    from synaptree.training.signal import signal_to_noise
    from synaptree.training.spec import make_spec

    for name, number in {"strings": strings, "replicas": replicas}.items():
        if number > MOST[name]:
            raise SynaptreeError(f"{name}: {number} given; expected at most {MOST[name]}")
    at = [int(step) for step in steps.split(",")]
    settings = {
        "width": width,
        "lr": lr,
        "weight_decay": weight_decay,
        "parametrisation": parametrisation,
    }
    spec = make_spec(
        rule="backprop",
        **dict(zip("vnmsLP", (v, n, m, s, depth, P), strict=True)),
        batch=max(1, min(128, P)),
        steps=max(1, *at),
        grammar_seed=seed,
        data_seed=seed,
        network_seed=seed,
        **{name: value for name, value in settings.items() if value is not None},
    )
    check(None, device, spec.precision)
    asked = [_rule(text) for text in rule] if rule else None
    prepare()
    rows = signal_to_noise(spec, asked, replicas=replicas, steps=at, strings=strings, device=device)
    if as_json:
        plain = [{k: None if x != x else x for k, x in asdict(row).items()} for row in rows]
        print(json.dumps({"strings": strings, "rows": plain}))
    else:
        print_signal(rows, strings, terminal())


def _rule(text: str) -> "Rule":
    """A rule in words, as ``masking,masks=only:2,3,weights=random``, or as `rules.named` reads."""
    from synaptree import rules

    name, *options = [text] if text.endswith(")") else re.split(r",(?=\s*\w+=)", text)
    return rules.named(name, **dict(assignment(option.strip()) for option in options))
