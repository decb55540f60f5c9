"""The portrait of a trained network: what each layer represents of each level, and its health."""

from dataclasses import dataclass

import torch
from torch import Tensor

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures.probes import probe_accuracy
from synaptree.measures.representation import (
    dead_fraction,
    effective_rank,
    spread,
    synonym_sensitivity,
)
from synaptree.network.tree import TreeNet

COLLAPSED = 2.0  # a layer with a smaller effective rank represents about one direction
INPUTS = 3072  # strings that a portrait is drawn from


@dataclass(frozen=True)
class Portrait:
    """Measures of one network. Rows: layers 1..L.  Columns: levels 1..L of the grammar; level L is
    the class.

    probe: accuracy of a linear reader of the level's latents.  sensitivity: synonym sensitivity to
    exchanges at that level (NaN for m = 1, where there are no synonyms).  rank, dead, spread: per
    layer.  All NaN for a network that has diverged.
    """

    probe: list[list[float]]
    sensitivity: list[list[float]]
    rank: list[float]
    dead: list[float]
    spread: list[float]

    @property
    def collapsed(self) -> list[int]:
        """The layers, from 1, whose effective rank is below `COLLAPSED`."""
        return [l for l, rank in enumerate(self.rank, start=1) if rank < COLLAPSED]


def portraits(
    net: TreeNet, grammars: list[RandomHierarchyModel], seeds: list[int], inputs: int = INPUTS
) -> list[Portrait]:
    """One portrait for each replica, on `inputs` strings of its grammar; two thirds fit the probes.

    The strings are drawn with replacement from a separate stream, and may be training strings: a
    portrait measures what a layer represents, not how well the readout generalises.
    """
    L, s = net.L, net.s
    sound = net.finite()
    drawn = [g.sample(inputs, seed, replace=True) for g, seed in zip(grammars, seeds, strict=True)]

    def activities(strings: list[Tensor]) -> list[Tensor]:
        z = net.read(torch.stack(strings).to(net.device)).z
        # A diverged network must not break the measures of the others.
        return z if sound.all() else [torch.where(sound[:, None, None, None], a, 0) for a in z]

    def tokens(x: object) -> Tensor:
        return torch.as_tensor(x, dtype=torch.int32, device="cpu")

    z = activities([tokens(d.x) for d in drawn])
    latents = [
        torch.stack([tokens(d.latents[level]) for d in drawn]).to(net.device)
        for level in range(1, L + 1)
    ]
    layers = range(1, L + 1)
    probe = torch.stack(
        [
            torch.stack(
                [
                    probe_accuracy(
                        *(z[l - 1], latents[k - 1], l, k, s),
                        classes=net.n if k == L else net.v,
                        train=inputs * 2 // 3,
                    )
                    for k in layers
                ]
            )
            for l in layers
        ]
    )
    sensitivity = torch.full((L, L, net.replicas), torch.nan, dtype=torch.float64, device="cpu")
    if grammars[0].m > 1:
        for k in layers:
            exchanged = [
                tokens(g.synonym(d.x, k, seed))
                for g, d, seed in zip(grammars, drawn, seeds, strict=True)
            ]
            for l, moved in zip(layers, activities(exchanged), strict=True):
                sensitivity[l - 1, k - 1] = synonym_sensitivity(z[l - 1], moved).cpu()
    health = [
        torch.stack([measure(z_l) for z_l in z])
        for measure in (effective_rank, dead_fraction, spread)
    ]
    measures = [probe.double(), sensitivity.to(probe.device), *health]
    measures = [torch.where(sound, measure, torch.nan) for measure in measures]
    return [
        Portrait(*(measure[..., r].tolist() for measure in measures)) for r in range(net.replicas)
    ]
