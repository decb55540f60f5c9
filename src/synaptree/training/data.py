"""The strings that replicas are trained and tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synaptree.grammar.rhm import Samples
from synaptree.sources.base import Clips
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class Data:
    """The strings of R replicas.  x (R, P, d), y (R, P), test_x (R, T, d), test_y (R, T).

    Real numbers, C at each place, are x (R, P, d, C) and test_x (R, T, d, C).
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor

    @classmethod
    def draw(cls, specs: Sequence[RunSpec], device: torch.device) -> "Data":
        """P training strings for each spec, and test strings that are not among them."""
        train = [training_strings(spec) for spec in specs]
        test = [
            spec.source.test(spec.tests, spec.data_seed, strings)
            for spec, strings in zip(specs, train, strict=True)
        ]
        return cls(
            _stack([samples.x for samples in train], device),
            _stack([samples.y for samples in train], device).long(),
            _stack([samples.x for samples in test], device),
            _stack([samples.y for samples in test], device).long(),
        )

    def select(self, keep: Tensor) -> "Data":
        """The data of the replicas `keep` (indices)."""
        return Data(self.x[keep], self.y[keep], self.test_x[keep], self.test_y[keep])


def training_strings(spec: RunSpec) -> Samples:
    """The P training strings of a run: single strings, or the frames of clips."""
    clips = None
    if spec.clips is not None:
        clips = Clips(spec.frames, spec.clips.redraw_probabilities(spec.L))
    return spec.source.training(spec.P, spec.data_seed, clips)


def _stack(arrays: Sequence[np.ndarray[Any, Any]], device: torch.device) -> Tensor:
    stacked = np.stack(arrays)
    if stacked.dtype.kind == "f":
        return torch.from_numpy(stacked).to(device)
    # Tokens stay bytes where they fit; each batch is converted to an index type by itself.
    narrow = stacked if stacked.dtype == np.uint8 else stacked.astype(np.int32)
    return torch.from_numpy(narrow).to(device)
