"""What the teaching pages measure on small networks, in docs/question/measured.json.

python tools/question_measured.py [PART …]    # half a minute; then tools/question_pictures.py

Pictures are drawn from the file, so that drawing them needs no training.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from question_seen import TIERS, VIEWS, budgets, seen

from synaptree import load, make_spec, train
from synaptree.analysis.data_curves import data_curves, references
from synaptree.analysis.depth import effective_depth
from synaptree.analysis.settings import apart
from synaptree.analysis.statistics import mean_interval
from synaptree.audit.kept import audits
from synaptree.claims.second.scoreboard import KNOWS
from synaptree.claims.second.scoreboard import knows as known
from synaptree.results.columns import finished
from synaptree.rules import get, names
from synaptree.rules.base import Batch, State
from synaptree.rules.facts import label_tier
from synaptree.training.result import Result

DOCS = Path(__file__).parent.parent / "docs"
PLACE = DOCS / "question" / "measured.json"
DRAWN = {"v": 4, "n": 4, "m": 2, "L": 3, "grammar_seed": 2}  # the grammar that the pages draw
UNTRAINED = ({"m": 4, "L": 3}, {"m": 8, "L": 3}, {"m": 6, "L": 4})  # of v = n = 8
NETS, NET = 8, 4  # small networks that are trained, and which of them is drawn
NETWORKS = 3  # untrained ones of each kind
# Of class 3, and alike at the synapse that is drawn (`question_masks`): the same tokens there, and
# the same error at the output but for its size.
STRINGS = ([2, 2, 0, 1, 2, 2, 1, 2], [2, 2, 2, 3, 2, 2, 2, 3], [1, 3, 3, 1, 2, 2, 2, 3])
RULES = {"signal": "backprop", "unmasked": "symmetric_direct", "direct": "dfa"}


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
    """The gates of a small trained network for three strings, and the error on its way down.

    Of each string, [layer][position][unit]: pre-activations; backprop's signal times the unit's own
    gate; the signal that has met no mask at all; the signal of direct feedback.  cosine: for each
    layer, of the second and the third with the first, all times the unit's own gate; and its mean
    over all strings and several networks.
    """
    nets = [_small(seed) for seed in range(NETS)]
    drawn = nets[NET]
    every = drawn.spec.grammar.sample(drawn.spec.grammar.size, seed=0).x.tolist()
    means = [np.mean([each["cosine"] for each in _signals(net, every)], 0) for net in nets]
    return {
        "test_errors": [net.test_error for net in nets],
        "cosine": _rounded(np.mean(means, 0), 3),
        "weights": [_rounded(W[0]) for W in drawn.network.W[1:]],
        "readout": _rounded(drawn.network.W_out[0]),
        "feedback": _rounded(_feedback(drawn).layers("B")[0][0]),
        "strings": _signals(drawn, list(STRINGS)),
    }


def _feedback(result: Result) -> State:
    """Fixed random feedback weights for a network that was not trained with them."""
    return get("dfa").init(result.network, [torch.Generator().manual_seed(0)])


def _small(seed: int) -> Result:
    """A network of 8 units at each position, trained by backprop on half of all strings."""
    spec = make_spec(
        rule="backprop", **DRAWN, P=256, width=8, lr=5e-3, batch=64, steps=600, evaluations=2,
        network_seed=seed,
    )  # fmt: skip
    return train(spec, portrait=False)


def _signals(result: Result, strings: list[list[int]]) -> list[dict[str, Any]]:
    net = result.network
    activity = net.activity(torch.tensor(strings)).place_by_place()
    classes = result.spec.grammar.parse(strings).latents[-1][:, 0].tolist()
    labels = torch.tensor([classes])
    error = activity.logits.softmax(-1) - torch.nn.functional.one_hot(labels, net.n)
    batch = Batch(activity, labels, error, [None] * net.L)
    states = {"direct": _feedback(result)}
    signals: dict[str, list[torch.Tensor]] = {}
    for name, rule in RULES.items():
        taught = get(rule).teach(net, states.get(name, State()), batch, [])
        signals[name] = [T[0] for T in taught.signals if T is not None]
    gated = {
        name: [T * (z[0] > 0) for T, z in zip(each, activity.z, strict=True)]
        for name, each in signals.items()
    }
    return [
        {
            "x": string,
            "class": classes[number],
            "error": _rounded(error[0, number], 6),
            "h": [_rounded(h[0, number]) for h in activity.h],
            "signal": [_rounded(T[number], 6) for T in gated["signal"]],
            "unmasked": [_rounded(T[number], 6) for T in signals["unmasked"]],
            "direct": [_rounded(T[number], 6) for T in signals["direct"]],
            "cosine": [
                [
                    round(_cosine(a[number], b[number]), 3)
                    for a, b in zip(gated["signal"], gated[other], strict=True)
                ]
                for other in ("unmasked", "direct")
            ],
        }
        for number, string in enumerate(strings)
    ]


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


def knows() -> dict[str, list[str]]:
    """The rules by the most that their synapses must know, in default form, by kept audits."""
    forms = [(name, "{}") for name in names()]
    kept = audits(DOCS.parent / "results" / "laptop", forms, write_new=False)
    found: dict[str, list[str]] = {name: [] for name in KNOWS}
    for (rule, options), audit in kept.items():
        if options == "{}":
            found[known(audit)].append(rule)
    return found


def curve() -> dict[str, Any]:
    """The data curve of backprop at its best: P, mean errors with intervals, and P*."""
    frame = load(DOCS.parent / "results" / "sample-complexity", curves=False)
    (best,) = references(data_curves(finished(apart(frame)))).values()
    errors = np.stack([each.mean(0) for each in best.errors.values()], 1)
    needs = best.needs()
    return {
        "kind": best.name,
        "grammars": len(best.errors),
        "P": list(best.sizes),
        "errors": [_rounded(mean_interval(row.tolist())) for row in errors],
        "needs": _rounded([needs.value, needs.low, needs.high], 1),
        "predicted": best.predicted["n·m**L"],
    }


def views() -> dict[str, Any]:
    return {
        "pairs": {view: seen(view, DRAWN) for view in VIEWS},
        "bits": budgets(),
        "tiers": {" ".join(each): label_tier(each) for _, each in TIERS},
    }


def _rounded(values: Any, digits: int = 4) -> Any:
    return np.round(np.asarray(values, dtype=float), digits).tolist()


PARTS = {
    "start": start, "masks": masks, "untrained": untrained, "knows": knows, "curve": curve,
    "views": views,
}  # fmt: skip

if __name__ == "__main__":
    kept = json.loads(PLACE.read_text("utf-8")) if PLACE.exists() else {}
    for part in sys.argv[1:] or PARTS:
        kept[part] = PARTS[part]()
    PLACE.write_text(json.dumps(kept) + "\n", "utf-8")
