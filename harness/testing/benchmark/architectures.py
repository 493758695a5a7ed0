"""The contract of architectures: identifiers, named sets and samples."""

from __future__ import annotations

import functools
import itertools

from harness.contracts.benchmark import Benchmark
from harness.errors import UnknownNameError
from harness.registry import check_importable
from harness.testing.benchmark.order import LARGEST_SAMPLE, digest_of_another_process, order_digest
from harness.testing.benchmark.subject import Contract, refusal


class ArchitecturesContract(Contract):
    """The contract of a benchmark's architectures."""

    def test_its_declared_facts_are_complete(self) -> None:
        """The class sets name, title, citation and data sets."""
        for fact in ("name", "title", "citation"):
            value = getattr(self.benchmark, fact, None)
            assert isinstance(value, str) and value.strip() and "\n" not in value, (
                f"{self.benchmark.__name__}.{fact} must be one line of text; it is {value!r}"
            )
        name = self.benchmark.name
        assert not set(name) & set(' /\\"'), (
            f"name is used in file names: remove blanks, slashes and quotes from {name!r}"
        )
        datasets = self.benchmark.datasets
        assert datasets and all(isinstance(dataset, str) and dataset for dataset in datasets), (
            "datasets must name at least one data set, the default first"
        )
        assert len(set(datasets)) == len(datasets), f"datasets lists a name twice: {datasets}"

    def test_a_worker_process_can_import_its_class(self) -> None:
        """Workers receive the name of the class."""
        try:
            check_importable(self.benchmark)
        except Exception as error:
            raise AssertionError(f"define the class at the top level of a module: {error}") from error

    def test_identifiers_are_unique_strings(self, subject: Benchmark) -> None:
        """Architectures are referred to by their identifiers everywhere."""
        architectures = self.architectures_of(subject)
        assert architectures, "architectures() lists nothing"
        wrong = [name for name in architectures if not (isinstance(name, str) and name)]
        assert not wrong, f"every identifier must be a non-empty string; {wrong[0]!r} is not"
        assert len(set(architectures)) == len(architectures), (
            f"architectures() lists '{_first_repeated(architectures)}' more than once; list each architecture once"
        )

    def test_two_instances_list_them_in_the_same_order(self, subject: Benchmark) -> None:
        """Samples are drawn by position."""
        first, again, other = (
            self.architectures_of(subject),
            self.architectures_of(subject),
            self.architectures_of(type(subject)()),
        )
        assert first == again == other, "architectures() must always return the same order, from every instance"

    def test_the_order_does_not_depend_on_the_hash_seed(self, subject: Benchmark) -> None:
        """A process with another hash seed gets the same order, sets and samples."""
        self.architectures_of(subject)
        assert digest_of_another_process(self.benchmark) == order_digest(subject), (
            "another process lists other architectures or another order; sort whatever comes from a set, from "
            "hash(), or from listing a folder"
        )

    def test_the_set_all_comes_first_and_holds_all(self, subject: Benchmark) -> None:
        """``all`` is the default set of samples."""
        architectures = self.architectures_of(subject)
        assert next(iter(subject.subsets), None) == "all", "subsets must begin with 'all'"
        assert subject.subset("all") == architectures, "the set 'all' must contain every architecture"
        assert subject.subset() == subject.subset("all"), "subset() must return the set 'all'"

    def test_every_set_has_a_description(self, subject: Benchmark) -> None:
        """Listings and tables show it."""
        for name, description in subject.subsets.items():
            assert isinstance(description, str) and description.strip(), f"describe the set '{name}' in subsets"

    def test_every_set_is_a_part_of_all_in_its_order(self, subject: Benchmark) -> None:
        """A set omits architectures and changes nothing else."""
        place = {name: position for position, name in enumerate(self.architectures_of(subject))}
        for subset in subject.subsets:
            members = subject.subset(subset)
            strange = [name for name in members if name not in place]
            assert not strange, f"the set '{subset}' contains '{strange[0]}', which architectures() does not list"
            positions = [place[name] for name in members]
            assert all(a < b for a, b in itertools.pairwise(positions)), (
                f"the set '{subset}' must list each of its architectures once, in the order of architectures()"
            )

    def test_the_predicate_of_a_set_agrees_with_its_listing(self, subject: Benchmark) -> None:
        """``membership`` and ``subset`` are two views of one set."""
        architectures = self.architectures_of(subject)
        for subset in subject.subsets:
            listed, belongs = set(subject.subset(subset)), subject.membership(subset)
            differ = [name for name in architectures if bool(belongs(name)) != (name in listed)]
            assert not differ, f"membership('{subset}') and subset('{subset}') disagree on '{differ[0]}'"

    def test_of_each_canonical_form_the_set_unique_has_the_first(self, subject: Benchmark) -> None:
        """Architectures with the same form are the same network; every call returns the same form."""
        architectures = self.architectures_of(subject)
        first: dict[str, str] = {}
        for architecture in architectures[:LARGEST_SAMPLE] if "unique" not in subject.subsets else architectures:
            form = subject.canonical_form(architecture)
            assert form == subject.canonical_form(architecture), (
                f"canonical_form('{architecture}') must return the same text in every call"
            )
            first.setdefault(form, architecture)
        if "unique" in subject.subsets:
            assert subject.subset("unique") == list(first.values()), (
                "the set 'unique' must contain the first architecture of each canonical form, in order"
            )

    def test_an_unknown_set_is_refused_with_a_near_miss(self, subject: Benchmark) -> None:
        """The message suggests the likely name."""
        known = list(subject.subsets)[-1]
        for call in (subject.membership, subject.subset):
            promise = f"{call.__name__}() must refuse the unknown set '{known}x' (check_subset does)"
            message = refusal(functools.partial(call, f"{known}x"), promise, UnknownNameError)
            assert f"'{known}'" in message, f"the message must suggest the set '{known}'; it says: {message}"

    def test_samples_are_nested(self, subject: Benchmark) -> None:
        """A run can be extended later without losing results."""
        self.architectures_of(subject)
        for subset in subject.subsets:
            largest = min(len(subject.subset(subset)), LARGEST_SAMPLE)
            whole = subject.sample(largest, seed=0, subset=subset)
            for size in {1, (largest + 1) // 2, largest}:
                assert subject.sample(size, seed=0, subset=subset) == whole[:size], (
                    f"the sample of {size} must be the beginning of the sample of {largest} of the set '{subset}'"
                )

    def test_samples_lie_within_their_set_without_repetition(self, subject: Benchmark) -> None:
        """Samples are drawn without replacement."""
        self.architectures_of(subject)
        for subset in subject.subsets:
            members = subject.subset(subset)
            size = min(len(members), LARGEST_SAMPLE)
            drawn = subject.sample(size, seed=1, subset=subset)
            assert len(drawn) == size, f"a sample of {size} of the set '{subset}' has {len(drawn)} architectures"
            assert len(set(drawn)) == size, f"a sample of the set '{subset}' contains '{_first_repeated(drawn)}' twice"
            strange = set(drawn) - set(members)
            assert not strange, f"a sample of the set '{subset}' contains {strange}, which are not in that set"

    def test_samples_depend_on_the_seed_and_on_nothing_else(self, subject: Benchmark) -> None:
        """The same seed draws the same architectures from every instance; other seeds draw others."""
        size = min(len(self.architectures_of(subject)), LARGEST_SAMPLE)
        first = subject.sample(size, seed=0)
        assert first == subject.sample(size, seed=0) == type(subject)().sample(size, seed=0), (
            "the same seed must always draw the same sample"
        )
        if size > 2:
            drawn = {tuple(subject.sample(size, seed=seed)) for seed in range(10)}
            assert len(drawn) > 1, "ten seeds draw the same sample: sample() must depend on its seed"

    def test_samples_of_impossible_sizes_are_refused(self, subject: Benchmark) -> None:
        """Zero, negative, and more than there are."""
        count = len(self.architectures_of(subject))
        for size in (0, -1, count + 1):
            promise = f"sample() must refuse size {size} with {count} architectures"
            refusal(functools.partial(subject.sample, size, seed=0), promise)


def _first_repeated(names: list[str]) -> str:
    return next(name for place, name in enumerate(names) if name in names[:place])
