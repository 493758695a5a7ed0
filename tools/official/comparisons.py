"""Which official function each proxy is compared with, and where the definitions differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.official import gradsign, knas, maedet, tenas, zero_cost_nas, zico
from tools.official.cases import Case
from tools.official.checkout import Checkout

Scorer = Callable[[Case], float]


@dataclass(frozen=True)
class Comparison:
    """One proxy beside one official function.

    Attributes:
        proxy: our proxy.
        repository: the name of the official one.
        function: the official function, and what it was given.
        official: its scores, from a checkout.
        definition: how the definitions differ, and why ours is as it is; may be empty.
        same: whether equal numbers are expected.
        on: the networks: ``cells``, ``chains``, or ``residuals``, which are ResNet-18 and narrower ones.
        images: their number, if the official code has one.
    """

    proxy: str
    repository: str
    function: str
    official: Callable[[Checkout], Scorer]
    definition: str = ""
    same: bool = True
    on: str = "cells"
    images: int | None = None

    def cases(self, networks: Mapping[str, Sequence[Case]], batch_size: int) -> list[Case]:
        """Its networks, with mini-batches of its number of images, or of this size."""
        return [case.first(self.images or batch_size) for case in networks[self.on]]


_MEASURES = {
    "grad_norm": "",
    "plain": "A sum of terms that nearly cancel, so float32 keeps fewer digits.",
    "snip": "",
    "grasp": "The official code differentiates twice, ours has closed forms; a sum of terms that nearly cancel.",
    "fisher": "",
    "synflow": "Ours computes in float64 in both precisions, as the official code does.",
    "jacob_cov": "The official code computes complex eigenvalues in float64 of a correlation matrix in NumPy. It fails "
    "where the outputs do not depend on the images, where ours is NaN.",
}
"""The measures of zero-cost-nas, and what differs."""

RESIDUAL_IMAGES = 4
"""Of residual networks, whose images are large."""

COMPARISONS = (
    *(
        Comparison(name, "zero-cost-nas", f"measures.{name}", zero_cost_nas.measure(name), definition)
        for name, definition in _MEASURES.items()
    ),
    *(
        Comparison(
            name,
            "zero-cost-nas",
            f"measures.{name} of residual networks",
            zero_cost_nas.measure(name),
            definition,
            on="residuals",
            images=RESIDUAL_IMAGES,
        )
        for name, definition in _MEASURES.items()
    ),
    Comparison(
        "zico",
        "zico",
        "compute_zico.getzico",
        zico.of_batches,
        "The official code stops at a layer that the loss does not depend on. Here such a layer gets a gradient of "
        "zero, which both leave out.",
    ),
    Comparison(
        "zico_magnitude",
        "zico",
        "compute_zico.caculate_zico of |g|",
        zico.of_magnitudes,
        "The paper divides by the deviation of |g|, the official code by that of g (zico). Here the official sum gets "
        "the magnitudes of the official gradients.",
    ),
    Comparison("zico_half_batches", "zico", "compute_zico.getzico of two half batches", zico.of_halves, "As for zico."),
    Comparison(
        "zico_bc",
        "zico",
        "compute_zico.getgrad and caculate_zico, with the paper's equation 2",
        zico.corrected,
        "ZiCo-BC has no official code. The equation is written anew over ZiCo's official gradients and sum, with the "
        "same reading: height, width and channels are those of a layer's output, and a layer that ZiCo leaves out has "
        "no penalty. So this checks our arithmetic, not the reading.",
    ),
    Comparison(
        "ntk",
        "tenas",
        "ntk.get_ntk_n(train_mode=True)",
        tenas.condition_number(train_mode=True),
        "Ours is infinite where the kernel is singular to working precision, and NaN where it is zero; the official "
        "code returns a quotient of rounding errors, or 100,000. Ours adds up the kernel in float64 in both "
        "precisions. torch.linalg.eigvalsh stands in for torch.symeig, which no longer exists.",
    ),
    Comparison(
        "ntk_eval",
        "tenas",
        "ntk.get_ntk_n(train_mode=False)",
        tenas.condition_number(train_mode=False),
        "As for ntk.",
    ),
    Comparison(
        "linear_regions",
        "tenas",
        "linear_region_counter.Linear_Region_Collector",
        tenas.linear_regions,
        "The official search counts in networks of one channel only (linear_regions_thin). At full width, every image "
        "has its own pattern in almost every network, so equal counts say little. The official code adds a matrix's "
        "transpose to it in place, which is an error in today's torch; here it adds a copy.",
    ),
    Comparison(
        "linear_regions_thin",
        "tenas",
        "linear_region_counter.Linear_Region_Collector of thin networks",
        tenas.linear_regions_thin,
        "Thin networks, weights and crops are ours; the official code counts.",
    ),
    Comparison(
        "gradsign",
        "gradsign",
        "grad_conflict.get_grad_conflict",
        gradsign.of_sum,
        "The official code passes images one by one, ours together, with the same statistics of each. In float32, "
        "rounding decides the sign of gradients that nearly vanish.",
    ),
    Comparison(
        "gradsign",
        "gradsign",
        "grad_conflict.get_grad_conflict of residual networks",
        gradsign.of_sum,
        "As for cells. Residual networks reach batch norms with gradients in another order in memory than the maps.",
        on="residuals",
        images=RESIDUAL_IMAGES,
    ),
    Comparison(
        "gradsign_mean",
        "gradsign",
        "gradsign.get_grad_conflict",
        gradsign.of_mean,
        "As for gradsign. The function stands in a script, which is imported up to where it loads a search space.",
    ),
    Comparison(
        "knas_first",
        "knas",
        "functions.procedure, given sums",
        knas.of_sums,
        f"Of {knas.STEPS} images, as in the official code. The official function multiplies two halves of its "
        "mini-batches. Here both halves have the sum of all images' gradients and nothing else, which makes its "
        "product the mean of the Gram matrix, up to a known factor. This checks gradients, entries and product; the "
        "next row is the function as published.",
        images=knas.STEPS,
    ),
    Comparison(
        "knas_first",
        "knas",
        "functions.procedure",
        knas.as_published(),
        "Another quantity: the official code multiplies the deviations of 25 images' gradients from their mean with "
        "those of 25 other images, in the order of the images; averaged over orders this is zero for every network. "
        "The paper's mean of the Gram matrix is a comment in that code, and is what ours computes.",
        same=False,
        images=knas.STEPS,
    ),
    Comparison(
        "knas_first",
        "knas",
        "functions.procedure, gradients set to zero in place",
        knas.as_published(in_place=True),
        "Another quantity: the official code keeps views of the gradients. By default, optimisers before torch 2.0 set "
        "gradients to zero in place. Then all fifty views show the last image's gradient, and of its deviation from "
        "their mean only rounding errors are left, whose size grows with that gradient.",
        same=False,
        images=knas.STEPS,
    ),
    Comparison(
        "entropy",
        "maedet",
        "compute_entropy.ComputeEntropyScore of our blocks",
        maedet.of_cells,
        "The official score has no networks with cells. It draws weights and inputs and adds up the deviations of our "
        "blocks, each divided by its own as in the official blocks. Only the last stage counts; the official default "
        "weights five stages 0 : 0 : 1 : 1 : 6, which a generic network does not declare.",
    ),
    Comparison(
        "entropy",
        "maedet",
        "compute_entropy.ComputeEntropyScore of official networks",
        maedet.of_chains,
        "Chains of convolutions, which both can build: the official network and score in full. Only the last stage "
        "counts.",
        on="chains",
    ),
    Comparison(
        "entropy",
        "maedet",
        "compute_madnas.ComputeMadnasScore of official networks",
        maedet.closed_form,
        "Another quantity: the closed form for chains, which the drawn score estimates except at image borders.",
        same=False,
        on="chains",
    ),
)
