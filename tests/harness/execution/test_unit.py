"""A unit's outcome depends on the job and the architecture alone, and failures are outcomes."""

import math
import pickle
from dataclasses import astuple, replace

import pytest
import torch
from torch import nn

from harness.contracts.benchmark import Benchmark
from harness.errors import DataError
from harness.execution.job import Job
from harness.execution.unit import compute_unit, failed_unit
from harness.images import Batch
from harness.images.batches import fingerprint, write_batches
from harness.probe import NotApplicableError
from harness.proxies import proxy
from harness.registry import proxies, reference
from harness.store.records import Unit
from harness.tasks import Task

OWN = ("params", "snip", "grasp", "fisher", "naswot", "zen", "zico", "synflow", "jacob_cov")


class Widths(Benchmark):
    """Two convolutions of the width that the architecture names."""

    name = "widths"
    title = "for tests"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)

    def architectures(self):
        return ["4", "6", "broken"]

    def task(self, dataset):
        return Task(dataset, (3, 8, 8), 4)

    def build(self, architecture, dataset):
        width = int(architecture)
        return WidthNetwork(width)

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError


class WidthNetwork(nn.Module):
    """Convolution, batch norm, ReLU, twice, then dropout and a classifier."""

    def __init__(self, width):
        super().__init__()
        block = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3)]
        self.features = nn.Sequential(*block, nn.BatchNorm2d(width), nn.ReLU())
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(width, 4)

    def forward_features(self, images):
        return self.features(images)

    def forward(self, images):
        return self.classifier(self.dropout(self.forward_features(images).mean(dim=(2, 3))))


@proxy("raising", better="higher", data="nothing", cite="nobody2026")
def raising(probe):
    """Raises, in two lines."""
    raise LookupError("no such\n  layer")


@proxy("not_a_number", better="higher", data="nothing", cite="nobody2026")
def not_a_number(probe):
    """Is undefined."""
    return torch.tensor(math.nan)


@proxy("infinite", better="higher", data="nothing", cite="nobody2026")
def infinite(probe):
    """Is too large."""
    return -math.inf


@proxy("not_applicable", better="higher", data="nothing", cite="nobody2026", version=3)
def not_applicable(probe):
    """Is never defined."""
    raise NotApplicableError("only for transformers")


@proxy("not_a_scalar", better="higher", data="nothing", cite="nobody2026")
def not_a_scalar(probe):
    """Returns two numbers."""
    return torch.zeros(2)


@proxy("random_score", better="higher", data="noise", cite="nobody2026")
def random_score(probe):
    """Draws from torch's global random state, as a careless third party does."""
    return torch.rand(())


BAD = (raising, not_a_number, infinite, not_applicable, not_a_scalar, random_score)


@pytest.fixture
def job(tmp_path):
    generator = torch.Generator().manual_seed(0)
    batches = [
        Batch(torch.randn(8, 3, 8, 8, generator=generator), torch.randint(4, (8,), generator=generator))
        for _ in range(2)
    ]
    path = tmp_path / "batches.npz"
    write_batches(path, batches)
    offered = (*(proxies()[name] for name in OWN), *BAD)
    return Job(
        benchmark=reference(Widths),
        dataset="dots",
        seed=0,
        proxies=tuple(map(reference, offered)),
        batches=str(path),
        fingerprint=fingerprint(batches),
        device="cpu",
    )


def scores(job, names, architecture="4"):
    """Outcomes without their times, by proxy."""
    result = compute_unit(job, Unit(architecture, tuple(names)))
    assert result.architecture == architecture
    assert [score.proxy for score in result.scores] == list(names)
    return {score.proxy: (score.version, score.status, score.value, score.error) for score in result.scores}


def test_every_proxy_has_a_score_and_its_times(job):
    result = compute_unit(job, Unit("6", OWN))
    for score in result.scores:
        assert (score.status, score.error, score.version) == ("ok", None, proxies()[score.proxy].version)
        assert math.isfinite(score.value)
        assert score.standalone_seconds >= score.own_seconds > 0
    assert result.scores[0].value == (6 * 27 + 6) + 12 + (6 * 54 + 6) + 12 + (6 * 4 + 4)
    by_name = {score.proxy: score for score in result.scores}
    assert by_name["snip"].standalone_seconds > result.forward_backward_seconds > 0


def test_a_proxy_that_raises_failed_with_type_message_and_place(job):
    version, status, value, error = scores(job, ["raising"])["raising"]
    assert (version, status, value) == (1, "failed", None)
    line = raising.function.__code__.co_firstlineno + 3
    assert error == f"LookupError: no such layer (test_unit.py:{line})"


def test_a_proxy_that_does_not_return_a_number_fails(job):
    _, status, value, error = scores(job, ["not_a_scalar"])["not_a_scalar"]
    assert (status, value) == ("failed", None)
    assert "Error: " in error and "proxy.py:" in error


@pytest.mark.parametrize(("name", "said"), [("not_a_number", "the score is nan"), ("infinite", "the score is -inf")])
def test_a_non_finite_score_is_a_separate_outcome(job, name, said):
    assert scores(job, [name]) == {name: (1, "non_finite", None, said)}


def test_a_proxy_that_is_not_defined_is_skipped_with_its_reason(job):
    assert scores(job, ["not_applicable"]) == {"not_applicable": (3, "skipped", None, "only for transformers")}


def test_a_bad_proxy_does_not_disturb_the_others(job):
    bad = ["raising", "not_a_number", "not_applicable", "not_a_scalar"]
    mixed = [bad[0], *OWN[:4], *bad[1:], *OWN[4:]]
    found = scores(job, mixed)
    assert {name: found[name] for name in OWN} == scores(job, OWN)


def test_a_network_that_cannot_be_built_fails_every_proxy(job):
    result = compute_unit(job, Unit("broken", ("snip", "not_applicable")))
    assert [(s.proxy, s.version, s.status, s.value) for s in result.scores] == [
        ("snip", 1, "failed", None),
        ("not_applicable", 3, "failed", None),
    ]
    line = Widths.build.__code__.co_firstlineno + 1
    for score in result.scores:
        assert score.error.startswith("the network could not be built: ValueError: invalid literal for int()")
        assert score.error.endswith(f"(test_unit.py:{line})")
        assert (score.own_seconds, score.standalone_seconds) == (0, 0)
    assert math.isnan(result.forward_backward_seconds)


def test_a_failed_unit_gives_every_proxy_the_same_reason():
    result = failed_unit(Unit("4", ("snip", "zen")), {"snip": 2, "zen": 5, "more": 1}, "the worker died")
    assert [astuple(score) for score in result.scores] == [
        ("snip", 2, "failed", None, "the worker died", 0, 0),
        ("zen", 5, "failed", None, "the worker died", 0, 0),
    ]


def test_a_repeated_call_gives_the_same_bits(job):
    first = scores(job, OWN)
    torch.manual_seed(123)
    compute_unit(job, Unit("6", OWN))
    assert scores(job, OWN) == first


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_outside_does_not_matter(job, threads):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = scores(job, OWN)
        torch.set_num_threads(threads)
        assert scores(job, OWN) == expected
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", OWN)
def test_a_proxy_gives_the_same_bits_alone_and_with_others(job, name):
    assert scores(job, [name])[name] == scores(job, OWN)[name] == scores(job, OWN[::-1])[name]


def test_a_proxy_that_draws_from_the_global_state_gives_the_same_score_again(job):
    torch.manual_seed(1)
    first = scores(job, ["random_score"])
    torch.manual_seed(2)
    assert scores(job, ["random_score"]) == first
    assert scores(job, ["grasp", "random_score"])["random_score"] == first["random_score"]


def test_the_global_random_state_is_left_as_it_was(job):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    compute_unit(job, Unit("4", (*OWN, "random_score")))
    compute_unit(job, Unit("broken", OWN))
    assert torch.equal(torch.get_rng_state(), state)


def test_seed_and_architecture_draw_other_weights(job):
    assert scores(job, ["snip"]) != scores(replace(job, seed=1), ["snip"])
    assert scores(job, ["snip"]) != scores(job, ["snip"], architecture="6")
    assert scores(job, ["snip"]) != scores(job, ["snip"], architecture="04"), "the same network by another name"


def test_the_seed_draws_other_numbers_for_proxies_that_draw(job):
    """Zen draws the weights anew, so that the network's own have no part in it."""
    assert scores(job, ["zen"]) == scores(job, ["zen"], architecture="04")
    assert scores(job, ["zen"]) != scores(replace(job, seed=1), ["zen"])


def test_a_worker_with_another_torch_is_refused(job):
    with pytest.raises(DataError, match=r"needs torch 1\.0, but a worker has torch"):
        compute_unit(replace(job, torch="1.0"), Unit("4", ("params",)))


def test_batches_that_changed_are_refused(job, tmp_path):
    with pytest.raises(DataError, match="differ from those of this run's scores"):
        compute_unit(replace(job, fingerprint="0" * 16), Unit("4", ("params",)))
    with pytest.raises(DataError, match="are missing"):
        compute_unit(replace(job, batches=str(tmp_path / "elsewhere.npz")), Unit("4", ("params",)))


def test_jobs_units_and_results_travel_between_processes(job):
    unit = Unit("4", ("params", "raising"))
    result = compute_unit(job, unit)
    assert pickle.loads(pickle.dumps((job, unit))) == (job, unit)
    restored = pickle.loads(pickle.dumps(result))
    assert restored.scores == result.scores
