"""Gradients of each image by itself equal those of a plain loop, in float64, whatever the network is made of."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.probe import NotApplicableError, per_sample
from harness.probe.passes import prunable_layers
from harness.probe.per_sample import (
    micro_batches,
    rows_by_backward,
    rows_of_images,
    sum_over_images,
    with_statistics_of_each_image,
)


def images(count=5, channels=3, side=8):
    return torch.randn(
        count, channels, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(count + side)
    )


def squares(outputs, at):
    """A score with a gradient that depends on the outputs."""
    return outputs.square().sum()


def by_loop(network, pictures, parameters):
    """Row i: the gradient of image i's score, from a pass and a backward pass of its own."""
    rows = []
    for i in range(len(pictures)):
        found = torch.autograd.grad(
            squares(network(pictures[i : i + 1]), None), parameters, allow_unused=True, materialize_grads=True
        )
        rows.append([gradient.flatten() for gradient in found])
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def same_rows(found, expected):
    """Equal Gram matrices and equal sorted entries: the order of the entries is free, but one for all images."""
    assert found.shape == expected.shape
    torch.testing.assert_close(found @ found.T, expected @ expected.T, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found.sort(dim=1).values, expected.sort(dim=1).values, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.sum(0).sort().values, expected.sum(0).sort().values, rtol=1e-9, atol=1e-12)


class Twice(nn.Module):
    """One convolution that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(self.conv(x).tanh())


class Functional(nn.Module):
    """Uses the weight of a layer that is never called."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return F.conv2d(x, self.conv.weight, stride=2)


class CalledAndBorrowed(nn.Module):
    """Calls a layer, and uses its weight as a function too."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return F.conv2d(self.conv(x).tanh(), self.conv.weight, stride=2)


class TiedOfTwoKinds(nn.Sequential):
    """Two layers share a weight, whose gradients they give in different orders of the entries."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 3), nn.Tanh(), nn.Conv2d(3, 3, 3, padding=1, padding_mode="circular"))
        self[2].weight = self[0].weight


class InPlace(nn.Module):
    """Changes what a layer gave."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x).mul_(2.0)


class Tiles(nn.Module):
    """Cuts each image into four tiles, which make up a mini-batch of their own."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        tiles = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
        return self.norm(self.conv(tiles)).tanh().unflatten(0, (-1, 4)).flatten(1)


class WithKeyword(nn.Module):
    """Calls a layer with a keyword."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)

    def forward(self, x):
        return self.linear(input=x)


LAYERS = {
    "3×3": lambda: nn.Conv2d(3, 4, 3, padding=1),
    "3×3, stride 2": lambda: nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
    "1×1": lambda: nn.Conv2d(3, 4, 1),
    "1×1, stride 2": lambda: nn.Conv2d(3, 4, 1, stride=2),
    "5×3, uneven in everything": lambda: nn.Conv2d(3, 4, (5, 3), stride=(1, 3), padding=(3, 1), dilation=(1, 2)),
    "dilated": lambda: nn.Conv2d(3, 4, 3, dilation=2),
    "grouped": lambda: nn.Conv2d(3, 6, 3, groups=3),
    "same padding": lambda: nn.Conv2d(3, 4, 3, padding="same"),
    "circular padding": lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 3, stride=2),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 4)),
    "linear over positions": lambda: nn.Linear(8, 4),
    "batch norm": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.BatchNorm2d(4)),
    "group norm": lambda: nn.Sequential(nn.Conv2d(3, 6, 1), nn.GroupNorm(3, 6)),
    "layer norm": lambda: nn.LayerNorm(8),
    "called twice": Twice,
    "called as a function": Functional,
    "called and as a function": CalledAndBorrowed,
    "tied, of two kinds": TiedOfTwoKinds,
    "changed in place": InPlace,
    "tiles": Tiles,
    "called with a keyword": WithKeyword,
}


def make(name):
    torch.manual_seed(3)
    network = LAYERS[name]().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return network


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", LAYERS)
def test_in_evaluation_mode_each_row_is_the_gradient_of_one_image(name, layout):
    network, pictures = make(name).eval(), images().contiguous(memory_format=layout)
    parameters = list(network.parameters())
    expected = by_loop(network, pictures, parameters)
    assert any(rows.abs().sum() > 0 for rows in expected)
    found = list(rows_of_images(network, pictures, squares, parameters))
    assert len(found) == len(parameters)
    for rows, plain in zip(found, expected, strict=True):
        same_rows(rows, plain)


@pytest.mark.parametrize("name", ["batch norm", "tiles", "3×3"])
@pytest.mark.parametrize("count", [1, 4, 5])
def test_with_statistics_of_each_image_the_rows_are_those_of_mini_batches_of_one(name, count):
    network, pictures = make(name).train(), images(count)
    plain = copy.deepcopy(network)
    expected = by_loop(plain, pictures, list(plain.parameters()))
    twin = with_statistics_of_each_image(network, count)
    for rows, row in zip(rows_of_images(twin, pictures, squares, list(twin.parameters())), expected, strict=True):
        same_rows(rows, row)
    twin = with_statistics_of_each_image(network, count)
    sums = sum_over_images(twin, pictures, squares, list(twin.parameters()))
    for total, row, parameter in zip(sums, expected, twin.parameters(), strict=True):
        torch.testing.assert_close(total, row.sum(0).view_as(parameter), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("affine", [True, False])
def test_a_batch_norm_may_come_first_and_have_neither_scale_nor_shift(affine, layout):
    torch.manual_seed(1)
    network = nn.Sequential(nn.BatchNorm2d(3, affine=affine), nn.Conv2d(3, 4, 3), nn.Tanh()).double()
    pictures = images().contiguous(memory_format=layout)
    parameters = list(network.parameters())
    expected = by_loop(network, pictures, parameters)
    twin = with_statistics_of_each_image(network, 5)
    for rows, row in zip(rows_of_images(twin, pictures, squares, list(twin.parameters())), expected, strict=True):
        same_rows(rows, row)
    sums = sum_over_images(twin, pictures, squares, list(twin[0].parameters()))
    for total, row in zip(sums, expected, strict=False):
        torch.testing.assert_close(total, row.sum(0), rtol=1e-9, atol=1e-12)


def test_tiles_that_are_as_many_as_the_images_are_not_mistaken_for_images():
    network, pictures = make("tiles").train(), images(4)
    twin = with_statistics_of_each_image(network, 4)
    (rows, *_) = rows_of_images(twin, pictures, squares, list(twin.parameters()))
    same_rows(rows, by_loop(network, pictures, list(network.parameters()))[0])


def test_a_batch_norm_that_gets_a_single_value_is_not_applicable():
    network = with_statistics_of_each_image(nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4)).double(), 5)
    with pytest.raises(NotApplicableError, match="single value"):
        list(rows_of_images(network, images(), squares, [network[0].weight]))


def test_the_network_is_left_as_it_was():
    network, pictures = make("batch norm").eval(), images()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    list(rows_of_images(network, pictures, squares, list(network.parameters())))
    with_statistics_of_each_image(network, 5)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(not module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_parameter_that_nothing_depends_on_has_rows_of_zeros():
    network = nn.Sequential(nn.Conv2d(3, 4, 3)).double()
    idle = nn.Parameter(torch.ones(7, dtype=torch.float64))
    _, rows = rows_of_images(network, images(), squares, [network[0].weight, idle])
    assert torch.equal(rows, torch.zeros(5, 7, dtype=torch.float64))
    assert sum_over_images(network, images(), squares, [idle]) == [None]


def test_rows_by_backward_are_the_same_in_groups(monkeypatch):
    torch.manual_seed(0)
    network, pictures = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()).double(), images()
    outputs = network(pictures).square().sum(dim=1)
    parameters = list(network.parameters())
    whole = list(rows_by_backward(lambda i: outputs[i], 5, parameters))
    monkeypatch.setattr(per_sample, "MOST_ENTRIES", 30)
    parts = list(rows_by_backward(lambda i: outputs[i], 5, parameters))
    assert [rows.shape for rows in parts] == [(5, p.numel()) for p in parameters]
    assert all(map(torch.equal, whole, parts))


def passes_of(network):
    """A list that comes to hold how many images each pass had."""
    seen = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return seen


class TestMicroBatches:
    @pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 32, 50, 64, 100, 256])
    def test_they_are_all_images_in_their_order_in_parts_of_sixteen_to_thirty_one(self, count):
        parts = micro_batches(count)
        assert [image for part in parts for image in range(part.start, part.stop)] == list(range(count))
        assert all(min(16, count) <= part.stop - part.start <= 31 for part in parts)

    @pytest.mark.parametrize("name", ["batch norm", "3×3"])
    @pytest.mark.parametrize("mode", ["evaluation", "statistics of each image"])
    def test_rows_are_those_of_all_images_at_once_while_few_pass(self, name, mode, monkeypatch):
        network, pictures = nn.Sequential(make(name)), images(64)
        network = network.eval() if mode == "evaluation" else with_statistics_of_each_image(network.train(), 64)
        parameters = [layer.weight for layer in prunable_layers(network)]
        passed = passes_of(network)
        split = list(rows_of_images(network, pictures, squares, parameters))
        assert passed == [16] * 4
        monkeypatch.setattr(per_sample, "MICRO_BATCH", 64)
        whole = list(rows_of_images(network, pictures, squares, parameters))
        assert passed == [16] * 4 + [64]
        for rows, expected in zip(split, whole, strict=True):
            torch.testing.assert_close(rows, expected, rtol=1e-12, atol=1e-14)

    def test_scores_of_a_part_are_told_which_images_it_has(self):
        network, pictures, weight = make("3×3").eval(), images(40), torch.arange(40, dtype=torch.float64)

        def weighted(outputs, at):
            return (outputs.flatten(1).square().sum(dim=1) * weight[at]).sum()

        parameters = list(network.parameters())
        plain = rows_of_images(network, pictures, squares, parameters)
        for rows, expected in zip(rows_of_images(network, pictures, weighted, parameters), plain, strict=True):
            torch.testing.assert_close(rows, expected * weight[:, None])

    def test_few_rows_at_a_time_are_the_same_rows(self, monkeypatch):
        network, pictures = make("batch norm").eval(), images(20)
        parameters = list(network.parameters())
        whole = list(rows_of_images(network, pictures, squares, parameters))
        passed = passes_of(network)
        monkeypatch.setattr(per_sample, "MOST_ENTRIES", 20)
        assert all(map(torch.equal, whole, rows_of_images(network, pictures, squares, parameters)))
        assert passed == [20] * len(parameters)


class Reordered(nn.Module):
    """Puts maps into another order in memory after its batch norm, so that gradients reach it in that order."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 36, 2)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).contiguous().flatten(1))


def test_the_order_of_entries_in_memory_does_not_matter():
    torch.manual_seed(0)
    network = Reordered().double()
    expected = by_loop(network.train(), images(), prunable_weights(network))
    network, pictures = (each.to(memory_format=torch.channels_last) for each in (network, images()))
    each = with_statistics_of_each_image(network, len(pictures))
    for found, row in zip(rows_of_images(each, pictures, squares, prunable_weights(each)), expected, strict=True):
        same_rows(found, row)


def prunable_weights(network):
    return [layer.weight for layer in prunable_layers(network)]
