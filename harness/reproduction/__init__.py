"""Reproduce a paper's comparison: its protocol as a file, our numbers next to the published ones, and the differences.

Data flow: a protocol (``protocol``, read by ``reading``) has parts; ``parts`` makes or finds the run of each part;
``mismatches`` lists what was done differently; ``comparison`` and ``search`` compare the numbers;
``architecture_search`` makes a search again and compares what it found; ``exhibit`` and
``figure`` show them. ``reproduce`` does all of this in one call.
"""

import warnings

from harness.reproduction.parts import ReproductionOptions
from harness.reproduction.reproduce import Reproduction, reproduce

__all__ = ["Reproduction", "ReproductionOptions", "reproduce"]


def __getattr__(name: str) -> object:
    if name == "Wishes":
        warnings.warn("Wishes is now ReproductionOptions", DeprecationWarning, stacklevel=2)
        return ReproductionOptions
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
