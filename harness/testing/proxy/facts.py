"""The contract of a proxy's declaration: its facts, and that workers can import it."""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import get_args

from harness.contracts.proxy import Axis
from harness.execution.executors import spawned_workers
from harness.execution.job import Job
from harness.execution.unit import compute_unit
from harness.images.batches import fingerprint, write_batches
from harness.probe import Probe
from harness.registry import check_importable, load_benchmark, reference
from harness.store.records import Unit
from harness.testing.proxy.networks import CONNECTED_CELLS, architecture
from harness.testing.proxy.subject import ProxySubject, described


class ProxyFactsContract(ProxySubject):
    """The contract of a proxy's declaration."""

    def test_its_declared_facts_are_complete(self) -> None:
        """Name, label and citation are texts; version and batches are counts."""
        proxy = self.proxy
        assert proxy.name and not set(proxy.name) & set(" ,:/\\\"'"), (
            f"the name is typed on command lines: remove blanks, commas, colons, slashes and quotes from {proxy.name!r}"
        )
        for fact, value in (("label", proxy.label), ("cite", proxy.cite)):
            assert isinstance(value, str) and value.strip() and "\n" not in value, (
                f"{fact} must be one line of text; it is {value!r}"
            )
        assert isinstance(proxy.version, int) and proxy.version >= 1, (
            f"version must be an integer from 1; it is {proxy.version!r}"
        )
        assert proxy.supervised is None or proxy.supervised.strip(), (
            "supervised must say which constant was chosen with which accuracies, or be None"
        )
        known = get_args(Axis)
        unknown = [axis for axis in proxy.axes if axis not in known]
        assert not unknown, f"axes names '{unknown[0]}'; known are {', '.join(known)}"
        strange = [name for name in proxy.anticipates if not hasattr(Probe, name)]
        assert not strange, f"anticipates names '{strange[0]}', which is not a quantity of Probe"

    def test_its_direction_is_declared(self) -> None:
        """The direction is declared in advance, never fitted to the accuracies."""
        assert self.proxy.better in ("higher", "lower"), (
            f"better must be 'higher' or 'lower'; it is {self.proxy.better!r}"
        )

    def test_what_it_looks_at_is_declared(self) -> None:
        """Nothing, noise, images or labels, and the number of mini-batches."""
        proxy = self.proxy
        kinds = ("nothing", "noise", "images", "labels")
        assert proxy.data in kinds, f"data must be one of {', '.join(kinds)}; it is {proxy.data!r}"
        least = 1 if proxy.data in ("images", "labels") else 0
        assert isinstance(proxy.batches, int) and proxy.batches >= least, (
            f"a proxy with data='{proxy.data}' needs at least {least} mini-batches; batches is {proxy.batches!r}"
        )

    def test_its_first_line_says_what_it_computes(self) -> None:
        """Listings show it: one short sentence."""
        summary = self.proxy.summary
        assert summary, "add a docstring to the formula: its first line is shown in every listing"
        assert summary[0].isupper() and summary.endswith(".") and len(summary) <= 115, (
            f"the first line of the docstring must be one sentence of up to 115 characters; it is {summary!r}"
        )

    def test_a_worker_process_can_import_it(self) -> None:
        """Workers receive the proxy's import path, not its code."""
        try:
            check_importable(self.proxy)
        except Exception as error:
            raise AssertionError(f"define the proxy at the top level of a module: {error}") from error

    def test_a_worker_process_computes_the_same_scores_in_another_order(self, tmp_path: Path) -> None:
        """A score must not depend on the process or on the networks scored before."""
        check_importable(self.proxy)
        networks = list(CONNECTED_CELLS)
        batches, path = self.batches(networks[0]), tmp_path / "batches.npz"
        write_batches(path, batches)
        place = reference(type(load_benchmark("digits")))
        job = Job(place, "digits", 0, (reference(self.proxy),), str(path), fingerprint(batches), "cpu")
        units = [Unit(architecture(network), (self.proxy.name,)) for network in networks]
        here = [compute_unit(job, unit).scores[0] for unit in units]
        try:
            worker = _worker(tuple(sys.path))
            there = [worker.submit(compute_unit, job, unit).result().scores[0] for unit in reversed(units)][::-1]
        except Exception as error:
            raise AssertionError(f"a worker process cannot compute it: {type(error).__name__}: {error}") from error
        for network, mine, its in zip(networks, here, there, strict=True):
            assert (mine.status, mine.value) == (its.status, its.value), (
                f"a worker process that scores the networks in another order returns {its.value} "
                f"({its.error or its.status}) on {described(network)}, this process returns {mine.value} "
                f"({mine.error or mine.status}); use only the probe, and keep no state between networks"
            )


@functools.cache
def _worker(_path: tuple[str, ...]) -> ProcessPoolExecutor:
    """One worker for all tests with the same module search path."""
    return spawned_workers(1)
