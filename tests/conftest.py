"""What all tests share."""

import torch

# As in the workers: such small products only get slower with more threads, and two test processes
# would fight for the cores.
torch.set_num_threads(1)
