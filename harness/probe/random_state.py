"""Random numbers from a separate seed; the global random states are restored afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch


@contextmanager
def seeded(seed: int, everywhere: bool = False) -> Iterator[None]:
    """Draw torch's random numbers from a seed; those of NumPy and Python too where ``everywhere`` is true."""
    with torch.random.fork_rng(devices=[]), _python_and_numpy(seed) if everywhere else nullcontext():
        torch.manual_seed(seed)
        yield


@contextmanager
def _python_and_numpy(seed: int) -> Iterator[None]:
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
