"""A network that runs out of memory fails, its error says how much was needed, and nothing else is affected."""

import ctypes
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from harness._utils.arguments import parse_bytes
from harness._utils.sizes import readable_size
from harness.contracts.benchmark import Benchmark
from harness.errors import HarnessError
from harness.execution.job import Job
from harness.execution.limits.memory import bytes_in_use, check_limit, limited
from harness.execution.limits.out_of_memory import graph_bytes, is_out_of_memory
from harness.execution.unit import compute_unit
from harness.images import Batch
from harness.images.batches import fingerprint, write_batches
from harness.probe import Probe, quantity
from harness.proxies import proxy
from harness.registry import proxies, reference
from harness.store.records import Unit
from harness.tasks import Task

MEGABYTE = 10**6
ROOM = 400 * MEGABYTE

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")


class Plain(Benchmark):
    """One small network."""

    name = "plain"
    title = "for tests"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)

    def architectures(self):
        return ["one", "two"]

    def task(self, dataset):
        return Task(dataset, (3, 16, 16), 4)

    def build(self, architecture, dataset):
        return network()

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError


def network():
    """Two convolutions with batch norm and ReLU, the second in place, and a classifier."""
    block = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(True)]
    return nn.Sequential(*block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


@proxy("greedy", better="higher", data="nothing", cite="nobody2026")
def greedy(probe):
    """Requests more memory than available, after a forward pass."""
    probe.forward()
    return torch.empty(ROOM * 4, dtype=torch.uint8).sum()


@quantity
def large(probe):
    """Three quarters of the room."""
    return torch.ones(ROOM * 3 // 4, dtype=torch.uint8)


@proxy("hoarding", better="higher", data="nothing", cite="nobody2026")
def hoarding(probe):
    """Leaves something large behind."""
    return large(probe)[0]


@proxy("spacious", better="higher", data="nothing", cite="nobody2026")
def spacious(probe):
    """Fits if nothing large was left behind."""
    return torch.ones(ROOM // 2, dtype=torch.uint8)[0]


OFFERED = ("params", "snip", "naswot", "jacob_cov", "zico")
BATCHES = [
    Batch(torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(n)), torch.arange(8) % 4) for n in range(2)
]


@pytest.fixture
def job(tmp_path):
    path = tmp_path / "batches.npz"
    write_batches(path, BATCHES)
    # What earlier tests freed and the process keeps counts as in use, but may be used again.
    ctypes.CDLL(None).malloc_trim(0)
    return Job(
        benchmark=reference(Plain),
        dataset="dots",
        seed=0,
        proxies=tuple(map(reference, (*(proxies()[name] for name in OFFERED), greedy, hoarding, spacious))),
        batches=str(path),
        fingerprint=fingerprint(BATCHES),
        device="cpu",
    )


def limited_unit(job, names, architecture="one"):
    """The scores by proxy, of a unit that may use so much more than the process does now."""
    compute_unit(job, Unit(architecture, ("params", "snip")))
    bounded = replace(job, memory_limit=bytes_in_use() + ROOM)
    return {score.proxy: score for score in compute_unit(bounded, Unit(architecture, names)).scores}


@linux_only
class TestUnit:
    def test_what_does_not_fit_has_failed_and_the_others_have_the_bits_they_always_have(self, job):
        names = ("params", "snip", "greedy", "naswot", "jacob_cov", "zico")
        scores = limited_unit(job, names)
        assert {name for name, score in scores.items() if score.status == "failed"} == {"greedy"}
        usual = {score.proxy: score.value for score in compute_unit(job, Unit("one", OFFERED)).scores}
        assert {name: scores[name].value for name in OFFERED} == usual

    def test_the_failure_says_what_was_needed_and_what_helps(self, job):
        error = limited_unit(job, ("greedy",))["greedy"].error
        assert error.startswith("out of memory under the limit of ")
        assert "MB were in use and 1.6 GB more were requested" in error
        needed = readable_size(graph_bytes(Probe(network(), BATCHES)))
        assert f"the graph of one forward pass of 8 images takes about {needed}" in error
        for remedy in ("--batch-size", "--resolution", "--memory-limit"):
            assert remedy in error

    def test_what_fits_alone_but_not_beside_what_others_left_is_computed(self, job):
        scores = limited_unit(job, ("hoarding", "spacious"))
        assert (scores["hoarding"].status, scores["spacious"].value) == ("ok", 1)

    def test_the_next_unit_finds_the_same_room(self, job):
        limited_unit(job, ("hoarding", "greedy"))
        assert limited_unit(job, ("hoarding",), "two")["hoarding"].status == "ok"

    def test_a_limit_that_is_reached_before_anything_is_computed_is_refused(self, job):
        with pytest.raises(HarnessError, match=r"is too small: a worker uses .* before it computes anything"):
            compute_unit(replace(job, memory_limit=MEGABYTE), Unit("one", ("params",)))


@linux_only
def test_the_limit_holds_in_its_block_alone():
    size = 2 * ROOM
    with limited(bytes_in_use() + ROOM), pytest.raises(RuntimeError) as caught:
        torch.empty(size, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert torch.empty(size, dtype=torch.uint8).numel() == size


@linux_only
def test_memory_that_is_reserved_and_not_used_does_not_count():
    reserved = torch.empty(2 * ROOM, dtype=torch.uint8)
    with limited(bytes_in_use() + ROOM):
        assert torch.ones(ROOM // 2, dtype=torch.uint8)[0] == 1
    del reserved


def test_other_systems_are_told(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    check_limit(None)
    with pytest.raises(HarnessError, match="only supported on Linux, not on darwin"):
        check_limit(4 * 10**9)


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("std::bad_alloc")]
)
def test_every_kind_of_failed_allocation_is_known(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("not enough memory")])
def test_other_errors_are_none(error):
    assert not is_out_of_memory(error)


class TestGraph:
    def test_it_is_as_large_as_what_a_real_pass_keeps(self):
        net, kept = network(), {}
        probe = Probe(net, BATCHES)

        def keep(tensor):
            kept[tensor.untyped_storage().data_ptr()] = tensor
            return tensor

        with saved_tensors_hooks(keep, lambda tensor: tensor):
            passed = probe.forward()
        for tensor in (*passed.relu_inputs, *(output for _, output in passed.layer_outputs)):
            keep(tensor)
        own = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *net.buffers())}
        real = sum(tensor.untyped_storage().nbytes() for key, tensor in kept.items() if key not in own)
        assert graph_bytes(probe) == pytest.approx(real, rel=0.02)

    def test_it_grows_with_the_images_and_leaves_the_network_as_it_was(self):
        net = network()
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        few, many = (graph_bytes(Probe(net, [Batch(torch.zeros(n, 3, 16, 16), torch.zeros(n))])) for n in (8, 32))
        assert many == pytest.approx(4 * few, rel=0.02)
        assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())

    def test_a_network_that_cannot_be_passed_without_contents_has_no_estimate(self):
        class Peeking(nn.Module):
            def forward(self, images):
                return images * float(images.detach().sum())

        assert graph_bytes(Probe(Peeking(), BATCHES)) is None


class TestBytes:
    @pytest.mark.parametrize(("text", "number"), [("500MB", 5e8), ("4 gb", 4e9), ("1.5GiB", 1.5 * 2**30)])
    def test_units_are_read(self, text, number):
        assert parse_bytes(text) == number

    @pytest.mark.parametrize("text", ["4", "GB", "-1GB", "0GB", "4 apples"])
    def test_what_is_no_amount_is_refused(self, text):
        with pytest.raises(HarnessError, match="write it as 4GB or 500MB"):
            parse_bytes(text)
