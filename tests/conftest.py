"""What all tests share."""

import torch
from hypothesis import settings

# As in the workers: such small products only get slower with more threads, and two test processes
# would fight for the cores.
torch.set_num_threads(1)

# No property is timed: on a busy machine every one of them may be slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
