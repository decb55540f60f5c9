"""What the teaching pages measure on small networks, in docs/question/measured.json.

python tools/question_measured.py      # about half a minute; then tools/question_pictures.py

Pictures are drawn from the file, so that drawing them needs no training.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synaptree import make_spec, train
from synaptree.analysis.depth import effective_depth
from synaptree.network.tree import TreeNet
from synaptree.rules import get
from synaptree.rules.base import Batch, State
from synaptree.training.result import Result

DOCS = Path(__file__).parent.parent / "docs"
PLACE = DOCS / "question" / "measured.json"
DRAWN = {"v": 4, "n": 4, "m": 2, "L": 3, "grammar_seed": 2}  # the grammar that the pages draw
UNTRAINED = ({"m": 4, "L": 3}, {"m": 8, "L": 3}, {"m": 6, "L": 4})  # of v = n = 8
NETS, NET = 8, 4  # small networks that are trained, and which of them is drawn
NETWORKS = 3  # untrained ones of each kind
STRINGS = ([1, 2, 3, 1, 2, 2, 0, 1], [0, 3, 2, 3, 0, 1, 2, 3])  # of classes 1 and 2


def start() -> dict[str, Any]:
    """What the code of docs/start.md finds."""
    text = (DOCS / "start.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, "start.md", "exec"), found)
    return {
        rule: {"error": round(run.test_error, 4), "probe": _rounded(run.portrait.probe)}
        for rule, run in found["results"].items()
    }


def masks() -> dict[str, Any]:
    """The gates of a small trained network for two strings, and the error on its way down.

    Of each string: pre-activations of the layers, [layer][position][unit]; the teaching signals,
    times the unit's own gate, with and without masks; and for each layer the cosine of these two.
    cosine: its mean over all strings and over several networks.
    """
    nets = [_small(seed) for seed in range(NETS)]
    drawn = nets[NET]
    every = drawn.spec.grammar.sample(drawn.spec.grammar.size, seed=0).x.tolist()
    means = [np.mean([each["cosine"] for each in _signals(net, every)], 0) for net in nets]
    return {
        "test_errors": [net.test_error for net in nets],
        "cosine": _rounded(np.mean(means, 0), 3),
        "weights": [_rounded(W[0]) for W in drawn.network.W[1:]],
        "strings": _signals(drawn, list(STRINGS)),
    }


def _small(seed: int) -> Result:
    """A network of 8 units at each position, trained by backprop on half of all strings."""
    spec = make_spec(
        rule="backprop", **DRAWN, P=256, width=8, lr=5e-3, batch=64, steps=600, evaluations=2,
        network_seed=seed,
    )  # fmt: skip
    return train(spec, portrait=False)


def _signals(result: Result, strings: list[list[int]]) -> list[dict[str, Any]]:
    net = result.network
    activity = net.activity(strings).place_by_place()
    classes = result.spec.grammar.parse(strings).latents[-1][:, 0].tolist()
    labels = torch.tensor([classes])
    error = activity.logits.softmax(-1) - torch.nn.functional.one_hot(labels, net.n)
    batch = Batch(activity, labels, error, [None] * net.L)
    with_masks, without = (_gated(name, net, batch) for name in ("backprop", "symmetric_direct"))
    both = list(zip(with_masks, without, strict=True))
    return [
        {
            "x": string,
            "class": classes[number],
            "error": _rounded(error[0, number], 6),
            "h": [_rounded(h[0, number]) for h in activity.h],
            "signal": [_rounded(T[number], 6) for T in with_masks],
            "unmasked": [_rounded(T[number], 6) for T in without],
            "cosine": [round(_cosine(a[number], b[number]), 3) for a, b in both],
        }
        for number, string in enumerate(strings)
    ]


def _gated(rule: str, net: TreeNet, batch: Batch) -> list[torch.Tensor]:
    """The signals of a rule that has no state, times the unit's own gate, each (B, N_l, H)."""
    taught = get(rule).teach(net, State(), batch, [])
    signals = [T for T in taught.signals if T is not None]
    return [(T * (z > 0))[0] for T, z in zip(signals, batch.activity.z, strict=True)]


def _cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0, eps=1e-30))


def untrained() -> list[dict[str, Any]]:
    """Probes of networks that have not learned, [layer][level], and the effective depth."""
    kinds: list[dict[str, Any]] = []
    for kind in UNTRAINED:
        probes = np.array(
            [
                train(
                    make_spec(
                        rule="readout_only", v=8, n=8, **kind, P=256, steps=1, evaluations=1,
                        grammar_seed=seed, network_seed=seed,
                    )
                ).portrait.probe  # pyright: ignore[reportOptionalMemberAccess]
                for seed in range(NETWORKS)
            ]
        )  # fmt: skip
        kinds.append(kind | {"probe": _rounded(probes.mean(0)), "depth": effective_depth(probes)})
    return kinds


def _rounded(values: Any, digits: int = 4) -> Any:
    return np.round(np.asarray(values, dtype=float), digits).tolist()


def measured() -> dict[str, Any]:
    return {"start": start(), "masks": masks(), "untrained": untrained()}


if __name__ == "__main__":
    PLACE.write_text(json.dumps(measured()) + "\n", "utf-8")
