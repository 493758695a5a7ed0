"""A proxy that changes shared state fails, its error says what, and no score of other proxies or networks changes."""

import os
import random
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from offenders import HARMLESS, LEFT, PROXIES
from torch import nn

from harness._utils import surroundings
from harness._utils.process_settings import SETTINGS, Snapshot
from harness._utils.signals import stops_noted
from harness._utils.surroundings import Surroundings
from harness.contracts.benchmark import Benchmark
from harness.execution import left_behind
from harness.execution.job import Job
from harness.execution.unit import compute_unit
from harness.images import Batch
from harness.images.batches import fingerprint, write_batches
from harness.registry import proxies, reference
from harness.store.records import Unit
from harness.tasks import Task

OTHERS = ("grad_norm", "snip", "zico", "naswot", "jacob_cov")


class Small(Benchmark):
    """Two convolutions of the width that the architecture names, and one linear layer."""

    name = "small"
    title = "for tests"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)

    def architectures(self):
        return ["4", "6"]

    def task(self, dataset):
        return Task(dataset, (3, 8, 8), 4)

    def build(self, architecture, dataset):
        width = int(architecture)
        block = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU()]
        return nn.Sequential(*block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 4))

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    generator = torch.Generator().manual_seed(0)
    batches = [
        Batch(torch.randn(8, 3, 8, 8, generator=generator), torch.randint(4, (8,), generator=generator))
        for _ in range(2)
    ]
    path = tmp_path_factory.mktemp("run") / "batches.npz"
    write_batches(path, batches)
    return Job(
        benchmark=reference(Small),
        dataset="dots",
        seed=0,
        proxies=tuple(map(reference, (*(proxies()[name] for name in OTHERS), *PROXIES.values()))),
        batches=str(path),
        fingerprint=fingerprint(batches),
        device="cpu",
    )


def outcomes(job, names, architecture="4"):
    result = compute_unit(job, Unit(architecture, tuple(names)))
    return {score.proxy: (score.status, score.value, score.error) for score in result.scores}


@pytest.fixture(scope="module")
def undisturbed(job):
    found = outcomes(job, OTHERS), outcomes(job, OTHERS, "6")
    assert {status for unit in found for status, *_ in unit.values()} == {"ok"}
    return found


@pytest.mark.parametrize("first", [0, 2], ids=["as the first", "among others"])
@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_is_named_and_disturbs_nobody(job, undisturbed, name, first):
    process = Snapshot(SETTINGS), Surroundings()
    found = outcomes(job, [*OTHERS[:first], name, *OTHERS[first:]])
    status, value, error = found.pop(name)
    assert (status, value) == ("failed", None)
    assert "it changed " in error and LEFT[name][0] in error
    assert error.endswith("; a proxy must leave everything as it found it") and "\n" not in error
    assert found == undisturbed[0]
    assert outcomes(job, OTHERS, "6") == undisturbed[1]
    assert [*process[0].put_back(), *process[1].put_back()] == []


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_changed_for_a_while_disturbs_nobody_either(job, undisturbed, name):
    found = outcomes(job, [name, *OTHERS])
    assert found.pop(name)[0] == "ok"
    assert found == undisturbed[0]


def test_numbers_drawn_from_any_global_state_are_the_same_again(job):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = outcomes(job, ["random_numbers"])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002
    random.random()
    np.random.rand()  # noqa: NPY002
    assert outcomes(job, ["snip", "random_numbers"])["random_numbers"] == first["random_numbers"]


def test_its_own_error_comes_before_what_it_changed(job):
    error = outcomes(job, ["raises_too"])["raises_too"][2]
    assert error.startswith("LookupError: no such layer (offenders.py:")
    assert "; it changed torch's gradient mode" in error


def test_costs_count_once_although_passes_are_repeated(job):
    alone = compute_unit(job, Unit("4", OTHERS)).forward_backward_seconds
    beside = compute_unit(job, Unit("4", ("grad_norm", "weights_written", *OTHERS[1:]))).forward_backward_seconds
    assert 0 < beside < 20 * alone


def test_the_projects_own_proxies_change_nothing_in_the_full_comparison(job, undisturbed, monkeypatch):
    for module in (left_behind, sys.modules[compute_unit.__module__]):
        monkeypatch.setattr(module, "is_own", lambda proxy: False)
    assert outcomes(job, OTHERS) == undisturbed[0]


def test_a_glance_still_detects_important_changes_of_own_proxies(job, undisturbed, monkeypatch):
    for module in (left_behind, sys.modules[compute_unit.__module__]):
        monkeypatch.setattr(module, "is_own", lambda proxy: True)
    for name in ("gradients_off", "number_format", "images_written", "weights_written", "statistics_updated"):
        found = outcomes(job, [name, *OTHERS])
        assert found.pop(name)[0] == "failed", name
        assert found == undisturbed[0]


def test_a_library_that_is_imported_for_the_first_time_may_add_to_the_surroundings(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (tmp_path / "library_of_the_test.py").write_text(
        "import os, warnings\nos.environ['LIBRARY_OF_THE_TEST'] = '1'\n"
        "warnings.filterwarnings('always', module='library_of_the_test')\n"
    )
    with warnings.catch_warnings():
        before = Surroundings()
        sys.path.append(str(tmp_path))
        __import__("library_of_the_test")
        assert before.put_back() == []
        assert os.environ["LIBRARY_OF_THE_TEST"] == "1"
        again = Surroundings()
        sys.path.append(str(tmp_path))
        __import__("library_of_the_test")
        assert again.put_back() == []
    del sys.modules["library_of_the_test"]


def test_replacements_by_torch_itself_are_not_changes(monkeypatch):
    """Its compiler does so when it is first used, which may be in a proxy."""
    before = Surroundings()
    code = compile("def manual_seed(seed): pass", surroundings._COMPILER[0] + "/eval_frame.py", "exec")
    scope = {}
    exec(code, scope)
    monkeypatch.setattr(torch, "manual_seed", scope["manual_seed"])
    monkeypatch.setattr(nn.Module, "_mark_of_the_test", True, raising=False)
    assert before.put_back() == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("imitated", "KeyboardInterrupt (offenders.py:"),
        ("base", "BaseException: of the worst kind"),
        ("generator", "GeneratorExit (offenders.py:"),
    ],
)
def test_whatever_it_raises_is_its_outcome(job, undisturbed, name, says):
    found = outcomes(job, [name, *OTHERS])
    status, _, error = found.pop(name)
    assert status == "failed" and error.startswith(says)
    assert found == undisturbed[0]


@pytest.mark.parametrize("name", ["interrupted", "deaf_to_ctrl_c"])
def test_a_real_ctrl_c_is_not_an_outcome(job, name):
    with pytest.raises(KeyboardInterrupt):
        outcomes(job, [name, *OTHERS])


def test_in_a_thread_no_signal_is_looked_for():
    seen = []

    def work():
        with stops_noted() as stops:
            seen.append(stops)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[]]


def test_every_setting_can_be_read_and_put_back():
    for setting in SETTINGS:
        value = setting.read()
        setting.put_back(value)
        assert setting.read() == value, setting.words
