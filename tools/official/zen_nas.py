"""Zen-NAS's official networks, counters and mutations beside ours: ``python -m tools.official.zen_nas CHECKOUT``.

It prints how many random structures agree, and stops at the first that does not. ``--counts`` also writes the official
sizes of the published and initial structures, which the tests compare with. CHECKOUT is github.com/idstcv/ZenNAS.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness_benchmarks.zen import repaired
from harness_benchmarks.zen.benchmark import TASKS
from harness_benchmarks.zen.counters import counts
from harness_benchmarks.zen.grammar import Block, parse
from harness_benchmarks.zen.mutation import MOBILE, OFFICIAL, RESNET, UNIFORM, Family, channel_choices, mutate
from harness_benchmarks.zen.network import ZenNetwork
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS, INITIAL_LATENCY, published
from torch import nn

from harness._utils.console import say

STARTS = ((INITIAL_FLOPS, MOBILE), (INITIAL_CIFAR, RESNET), (repaired(INITIAL_LATENCY), RESNET))
WAYS = tuple(itertools.product((True, False), repeat=2))
"""With and without residual links, and with and without squeeze and excitation."""

SIDES = (224, 32, 33, 50)
SEARCH_SPACES = {MOBILE: "search_space_IDW_fixfc", RESNET: "search_space_XXBL"}
_LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of github.com/idstcv/ZenNAS")
    parser.add_argument("--counts", type=Path, help="write the official sizes to this file")
    parser.add_argument("--mutants", type=int, default=24, help="structures per start whose networks are compared")
    given = parser.parse_args()
    sys.path.insert(0, str(given.checkout))
    generator = np.random.default_rng(0)
    if given.counts:
        _write_counts(given.counts)
    say(f"sizes: {_compare_sizes(generator, given.mutants)} networks at {len(SIDES)} resolutions agree exactly")
    say(f"mutations: the replacements of {_compare_replacements()} blocks and their weights agree exactly")
    networks, furthest = _compare_outputs(generator, given.mutants // 3)
    say(f"outputs: {networks} networks on the same weights differ by {furthest:g} at most")


def _official(structure: str, classes: int, links: bool, excites: bool, *, built: bool) -> Any:
    masternet = importlib.import_module("Masternet").MasterNet
    with contextlib.redirect_stdout(io.StringIO()):  # it prints a line for every block with squeeze and excitation
        return masternet(
            num_classes=classes, plainnet_struct=structure, no_create=not built, no_reslink=not links, use_se=excites
        )


def _mutants(generator: np.random.Generator, number: int) -> Iterator[tuple[str, Family]]:
    """Structures further and further from each start, back to it when they get long."""
    for start, family in STARTS:
        structure = start
        for _ in range(number):
            structure = mutate(structure, family, generator, 2, UNIFORM)
            yield structure, family
            if len(parse(structure)) > 10:
                structure = start


def _compare_sizes(generator: np.random.Generator, number: int) -> int:
    compared = 0
    for (structure, _), (links, excites) in itertools.product(list(_mutants(generator, number)), WAYS):
        network = _official(structure, 10, links, excites, built=False)
        for side in SIDES:
            found = counts(parse(structure), side, 10, links=links, excites=excites)
            sizes = (found.official_params, found.official_flops, found.layers)
            expected = (network.get_model_size(), network.get_FLOPs(side), network.get_num_layers())
            _require(sizes == expected, f"{structure} at {side}: {sizes} here, {expected} there")
        compared += 1
    return compared


def _compare_replacements() -> int:
    compared = 0
    for start, family in STARTS:
        official = importlib.import_module(f"SearchSpace.{SEARCH_SPACES[family]}")
        network = _official(start, 10, True, False, built=False)
        for place, block in enumerate(parse(start)):
            listed = official.gen_search_space(network.block_list, place)
            expected = Counter(text for group in listed for text in group)
            _require(_replacements(block, family) == expected, f"block {place + 1} of {start}")
            compared += 1
    return compared


def _replacements(block: Block, family: Family) -> Counter[str]:
    outputs = channel_choices(block.outputs, family.most_channels)
    if block.type.kind == "convolution":
        fixed = block.type.kernel == 1 and not family.changes_pointwise
        return Counter(str(block._replace(outputs=out, layers=1)) for out in ([block.outputs] if fixed else outputs))
    narrow = channel_choices(block.bottleneck, family.most_channels)
    depths = range(max(1, block.layers - 2), block.layers + 3)
    return Counter(
        str(Block(kind, block.inputs, out, block.stride, inner, layers))
        for kind, out, inner, layers in itertools.product(family.drawn[OFFICIAL], outputs, narrow, depths)
    )


def _compare_outputs(generator: np.random.Generator, number: int) -> tuple[int, float]:
    compared, furthest = 0, 0.0
    for (structure, _), (links, excites) in itertools.product(list(_mutants(generator, number)), WAYS):
        torch.manual_seed(0)
        theirs = _official(structure, 10, links, excites, built=True)
        ours = ZenNetwork(parse(structure), 10, links=links, excites=excites)
        images = torch.randn(3, 3, 48, 48)
        for one, other in zip(_used(theirs, images), _used(ours, images), strict=True):
            other.load_state_dict(one.state_dict())
        with torch.no_grad():
            pairs = (
                (theirs.eval()(images), ours.eval()(images)),
                (theirs.forward_pre_GAP(images), ours.forward_features(images)),
            )
        furthest = max(furthest, *(float((one - other).abs().max()) for one, other in pairs))
        compared += 1
    return compared, furthest


def _used(network: nn.Module, images: torch.Tensor) -> list[nn.Module]:
    """The layers with weights in the order in which a pass uses them."""
    found: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: found.append(module))
        for module in network.modules()
        if isinstance(module, _LAYERS)
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return found


def _write_counts(path: Path) -> None:
    structures = [(row.network, row.dataset, row.structure) for row in published()]
    structures += [
        ("initial-flops", "imagenet-1k", INITIAL_FLOPS),
        ("initial-latency-repaired", "imagenet-1k", repaired(INITIAL_LATENCY)),
        ("initial-cifar", "cifar100", INITIAL_CIFAR),
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["network", "dataset", "se", "params", "macs", "model_size", "flops", "layers", "convolutions", "structure"]
        )
        for (name, dataset, structure), excites in itertools.product(structures, (False, True)):
            table.writerow([name, dataset, int(excites), *_official_counts(structure, dataset, excites), structure])


def _official_counts(structure: str, dataset: str, excites: bool) -> list[float]:
    shape, classes = TASKS[dataset]
    operations = 0

    def add(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal operations
        operations += int(output[0, 0].numel()) * int(module.weight.numel())  # type: ignore[operator]

    with torch.device("meta"):
        network = _official(structure, classes, True, excites, built=True)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for module in [*convolutions, *(module for module in network.modules() if isinstance(module, nn.Linear))]:
        module.register_forward_hook(add)
    with torch.no_grad():
        network.eval()(torch.zeros(1, *shape, device="meta"))
    flops = network.get_FLOPs(shape[-1])
    params = sum(parameter.numel() for parameter in network.parameters())
    whole = int(flops) if flops == int(flops) else flops
    return [params, operations, int(network.get_model_size()), whole, network.get_num_layers(), len(convolutions)]


def _require(agrees: bool, words: str) -> None:
    if not agrees:
        sys.exit(f"it differs: {words}")


if __name__ == "__main__":
    main()
