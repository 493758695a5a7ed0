"""Sizes: the closed form, built networks and the published figures agree."""

import time

import numpy as np
import pytest
import torch
from harness_benchmarks.transnas101 import macro, micro
from harness_benchmarks.transnas101.network import build_network
from harness_benchmarks.transnas101.sizes import multiply_accumulates, parameter_counts
from harness_benchmarks.transnas101.tasks import TASKS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from harness.errors import HarnessError

PUBLISHED_CLASSES = {"class_object": 100, "class_scene": 63}
"""NAS-Bench-Suite-Zero built its networks with these; the benchmark trained with 75 and 47."""

SAMPLE = (
    "64-41414-0_00_000", "64-41414-1_11_111", "64-41414-1_02_333", "64-41414-3_33_333",
    "64-1114-basic", "64-333142-basic", "64-224333-basic", "64-1242-basic",
)  # fmt: skip


def on_meta(architecture, task):
    """A network without memory: shapes only."""
    with torch.device("meta"):
        return build_network(architecture, task, PUBLISHED_CLASSES.get(task)).eval()


def meta_images(task, side=None):
    side = side or (64 if task == "jigsaw" else 256)
    return torch.empty((1, 9, 3, side, side) if task == "jigsaw" else (1, 3, side, side), device="meta")


def published_multiply_adds(network, task):
    """What the published figures count: see :func:`harness_benchmarks.transnas101.sizes.multiply_accumulates`.

    A layer that is called more than once counts once.
    """
    counted = {}

    def count(module, inputs, output):
        values = output.numel()
        match module:
            case nn.Conv2d():
                counted[module] = values * (module.weight[0].numel() + (module.bias is not None))
            case nn.Linear():
                counted[module] = module.weight.numel()
            case nn.BatchNorm2d():
                counted[module] = 2 * values
            case nn.ReLU() | nn.LeakyReLU():
                counted[module] = values
            case nn.AdaptiveAvgPool2d():
                _, channels, height, width = inputs[0].shape
                counted[module] = channels * (height + 1) * (width + 1)

    for module in network.modules():
        module.register_forward_hook(count)
    network(meta_images(task))
    return sum(counted.values())


@pytest.fixture(scope="module", params=["micro", "macro"])
def published(request, real_data):
    import pandas as pd

    return pd.read_csv(real_data / f"transnas-{request.param}-published-sizes.csv.gz")


@pytest.mark.real_data
class TestPublishedSizes:
    def test_the_closed_form_gives_every_published_number_of_parameters(self, published):
        assert set(published["task"]) == set(TASKS)
        for task, rows in published.groupby("task"):
            counts = parameter_counts(list(rows["arch"]), task, PUBLISHED_CLASSES.get(task))
            np.testing.assert_array_equal(counts, rows["params"])

    def test_built_networks_have_the_published_parameters_and_multiply_adds(self, published):
        rows = published.iloc[::199]
        assert set(rows["task"]) == set(TASKS)
        for row in rows.itertuples():
            network = on_meta(row.arch, row.task)
            assert sum(parameter.numel() for parameter in network.parameters()) == row.params
            assert published_multiply_adds(network, row.task) == row.macs


class TestParameterCounts:
    @pytest.mark.parametrize("task", TASKS)
    def test_the_closed_form_is_the_number_of_the_built_network(self, task):
        with torch.device("meta"):
            built = [sum(p.numel() for p in build_network(code, task).parameters()) for code in SAMPLE]
        assert parameter_counts(SAMPLE, task).tolist() == built

    def test_the_documented_formulas_of_the_heads(self):
        heads = {
            "class_scene": lambda c: (c + 1) * 47,
            "jigsaw": lambda c: (9 * c + 1) * 1000,
            "segmentsemantic": lambda c: 9216 * c + 6_300_672 + 289 * 17,
            "normal": lambda c: 9216 * c + 18_153_267,
        }
        for code, width in (("64-1242-basic", 512), ("64-1114-basic", 128), (micro.enumerate_architectures()[0], 512)):
            (backbone,) = {int(parameter_counts([code], task)[0]) - head(width) for task, head in heads.items()}
            if code.startswith("64-41414"):
                assert backbone == 19_488

    def test_whole_spaces_are_counted_in_a_second(self):
        start = time.process_time()
        for space in (micro, macro):
            counts = parameter_counts(space.enumerate_architectures(), "autoencoder")
            assert counts.dtype == np.int64
            assert counts.shape == (len(space.enumerate_architectures()),)
        assert time.process_time() - start < 1

    def test_what_is_no_code_is_refused(self):
        with pytest.raises(HarnessError, match="is not a code of the macro space"):
            parameter_counts(["64-basic"], "jigsaw")


class TestMultiplyAccumulates:
    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.nightly
    def test_it_is_what_torch_counts(self, task):
        for code in SAMPLE[::3] if task == "jigsaw" else SAMPLE:
            with torch.device("meta"), torch.no_grad():
                network = build_network(code, task).eval()
                with FlopCounterMode(display=False) as counter:
                    network(meta_images(task, side=64))
            assert 2 * multiply_accumulates(code, task, side=64) == counter.get_total_flops()

    def test_a_side_that_the_stride_does_not_divide_is_refused(self):
        with pytest.raises(HarnessError, match=r"the total stride of '64-41414-3_33_333' is 32, .* a side of 48"):
            multiply_accumulates("64-41414-3_33_333", "normal", side=48)
