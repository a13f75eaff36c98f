import os

import torch
from hypothesis import settings

# The same examples in every run, so that a failure in CI is one at home; no time limits on busy machines.
settings.register_profile("eznas", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("eznas")

# Small tensors gain nothing from threads, and test processes that run side by side would fight for the cores.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")
