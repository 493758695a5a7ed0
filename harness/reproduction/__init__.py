"""A paper's comparison again: its protocol as a file, our numbers beside those it printed, and what differs.

The way of the data: a protocol (``protocol``, read by ``reading``) has parts; ``parts`` makes or finds the run of each;
``mismatches`` says what was done otherwise; ``comparison`` and ``search`` set the numbers side by side; ``exhibit`` and
``figure`` show them. ``reproduce`` is all of it in one call.
"""

from harness.reproduction.parts import ReproductionOptions
from harness.reproduction.reproduce import Reproduction, reproduce

__all__ = ["Reproduction", "ReproductionOptions", "reproduce"]
