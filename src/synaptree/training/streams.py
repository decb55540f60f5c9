"""Random numbers: an independent stream for each purpose and seed."""

import numpy as np
import torch


def generator(purpose: str, seed: int) -> torch.Generator:
    """The stream for one purpose and seed, so that no two draws of a run share numbers."""
    entropy = np.random.SeedSequence([seed, *purpose.encode()])
    return torch.Generator("cpu").manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))
