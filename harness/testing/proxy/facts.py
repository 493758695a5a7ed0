"""The contract of a proxy's declaration: its facts, and where workers import it from."""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

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
    """What a proxy promises of itself."""

    def test_its_declared_facts_are_complete(self) -> None:
        """Name, label and paper are texts; versions and batches are counts."""
        proxy = self.proxy
        assert proxy.name and not set(proxy.name) & set(" ,:/\\\"'"), (
            f"the name is typed on command lines: put no blanks, commas, colons, slashes or quotes into {proxy.name!r}"
        )
        for fact, value in (("label", proxy.label), ("cite", proxy.cite)):
            assert isinstance(value, str) and value.strip() and "\n" not in value, (
                f"{fact} must be a text of one line; it is {value!r}"
            )
        assert isinstance(proxy.version, int) and proxy.version >= 1, (
            f"version must count from 1; it is {proxy.version!r}"
        )
        assert proxy.supervised is None or proxy.supervised.strip(), (
            "supervised must say which constant was chosen with which accuracies, or be None"
        )
        strange = [name for name in proxy.anticipates if not hasattr(Probe, name)]
        assert not strange, f"anticipates names '{strange[0]}', which is no quantity of a Probe"

    def test_its_direction_is_declared(self) -> None:
        """Whether higher or lower is better is said beforehand, never fitted to the accuracies."""
        assert self.proxy.better in ("higher", "lower"), (
            f"better must be 'higher' or 'lower'; it is {self.proxy.better!r}"
        )

    def test_what_it_looks_at_is_declared(self) -> None:
        """Nothing, noise, images or labels; and how many mini-batches of them."""
        proxy = self.proxy
        kinds = ("nothing", "noise", "images", "labels")
        assert proxy.data in kinds, f"data must be one of {', '.join(kinds)}; it is {proxy.data!r}"
        least = 1 if proxy.data in ("images", "labels") else 0
        assert isinstance(proxy.batches, int) and proxy.batches >= least, (
            f"a proxy that looks at {proxy.data} needs {least} mini-batches or more; batches is {proxy.batches!r}"
        )

    def test_its_first_line_says_what_it_computes(self) -> None:
        """Listings show the first line of the docstring: one short sentence."""
        summary = self.proxy.summary
        assert summary, "document the formula: the first line of its docstring is shown in every listing"
        assert summary[0].isupper() and summary.endswith(".") and len(summary) <= 115, (
            f"the first line of the docstring must be one sentence of up to 115 characters; it is {summary!r}"
        )

    def test_a_worker_process_can_import_it(self) -> None:
        """Units of work travel with the place of the proxy, not with its code."""
        try:
            check_importable(self.proxy)
        except Exception as error:
            raise AssertionError(f"define the proxy at the top of a module: {error}") from error

    def test_a_worker_process_computes_the_same_scores_in_another_order(self, tmp_path: Path) -> None:
        """Where a score is computed, and after which networks, must not show in it."""
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
                f"a worker process that scores the networks in another order gives {its.value} "
                f"({its.error or its.status}) on {described(network)}, this one gives {mine.value} "
                f"({mine.error or mine.status}); use nothing but the probe, and keep nothing from network to network"
            )


@functools.cache
def _worker(_path: tuple[str, ...]) -> ProcessPoolExecutor:
    """One worker for all tests that search modules in the same places."""
    return spawned_workers(1)
