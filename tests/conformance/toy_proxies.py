"""Proxies that keep the contract, and one broken proxy for each promise."""

from __future__ import annotations

import os
import random
import sys

import numpy as np
import torch
from torch import nn

from harness.probe import NotApplicableError, quantity
from harness.proxies import proxy


def declared(better="higher", data="labels", **facts):
    """A proxy under the name of its function, with the facts that a toy needs."""
    return lambda formula: proxy(
        facts.pop("name", formula.__name__), better=better, data=data, cite="nobody2026", **facts
    )(formula)


def gradient(probe, batch=0):
    """A sum that depends on the weights, the images and the labels, a little on each."""
    return sum(g.abs().sum() for g in probe.loss_gradients(batch))


@declared()
def good(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@quantity
def drawn(probe):
    return torch.randn(4)


@declared(data="noise")
def good_noise(probe):
    """A weight times noise."""
    return drawn(probe).sum() * len(probe.layers)


@declared(data="nothing")
def good_nowhere(probe):
    """Depth of a network without convolutions, which is not defined for cells."""
    if any(isinstance(layer, nn.Conv2d) for layer in probe.layers):
        raise NotApplicableError("the network has convolutions")
    return len(probe.layers)


@declared(name="two words")
def blank_name(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(anticipates=("crystal_ball",))
def anticipates_nothing(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(better="up")
def no_direction(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(axes=("magic",))
def magical(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(data="pictures")
def pictures(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(batches=0)
def no_batches(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared()
def undescribed(probe):
    return gradient(probe)


def _made():
    @declared()
    def hidden(probe):
        """Sum of the magnitudes of the gradients."""
        return gradient(probe)

    return hidden


class Nowhere:
    """Holds a proxy that is no member of its module."""

    hidden = _made()


@declared()
def of_this_process(probe):
    """Sum of the magnitudes of the gradients, times the number of the process."""
    return gradient(probe) * os.getpid()


FIRST: list[float] = []


@declared()
def scaled_by_the_first(probe):
    """Sum of the magnitudes of the gradients, relative to that of the first network."""
    FIRST.append(float(gradient(probe)))
    return FIRST[-1] / FIRST[0]


@declared()
def infinite_somewhere(probe):
    """Sum of the magnitudes of the gradients, infinite where more than half of the layers are large."""
    large = sum(module.weight.shape[-1] == 3 for module in probe.layers if isinstance(module, nn.Conv2d))
    return gradient(probe) / (large < 0.8 * len(probe.layers))


@declared()
def of_the_processor(probe):
    """Sum of the magnitudes of the gradients and of the mean outputs, weighted."""
    outputs = probe.forward().outputs.detach().mean(dim=0) + torch.arange(10)
    return gradient(probe) + outputs.sum()


@declared()
def infinite(probe):
    """Division by zero."""
    return gradient(probe) / 0


@declared()
def fails_unconnected(probe):
    """Division by a gradient that may vanish."""
    return 1 / float(gradient(probe)) if probe.loss_gradients()[0].any() else 1 / 0


@declared()
def fails_without_convolutions(probe):
    """Sum of the magnitudes of the gradients of the convolutions."""
    convolutions = [layer for layer in probe.layers if isinstance(layer, nn.Conv2d)]
    return gradient(probe) * convolutions[0].weight.shape[1]


@declared()
def without_a_reason(probe):
    """Sum of the magnitudes of the gradients, if there are no poolings."""
    if not any(module.weight.shape[-1] == 3 for module in probe.layers[1:-1] if isinstance(module, nn.Conv2d)):
        raise NotApplicableError
    return gradient(probe)


@declared()
def grey_only(probe):
    """Sum of the magnitudes of the gradients and of the single channel's pixels."""
    images = probe.batch().images
    first = probe.layers[0]
    if isinstance(first, nn.Conv2d) and first.weight.shape == (6, 3, 3, 3) and first.padding == (1, 1):
        images = images.reshape(len(images), 1, 8, 8)
    return gradient(probe) * images.shape[1]


@declared()
def random_every_time(probe):
    """Sum of the magnitudes of the gradients, and chance that leaves no trace."""
    return gradient(probe) * int.from_bytes(os.urandom(4), "big") if probe.network.training else 0


@declared()
def knows_the_global_seed(probe):
    """Sum of the magnitudes of the gradients, and a number that stays until somebody seeds torch anew."""
    return gradient(probe) * (1 + torch.initial_seed() % 7)


@declared(data="nothing")
def depends_on_company(probe):
    """Number of layers, and of the shared quantities that are there already."""
    return len(probe.layers) + len(probe._results)


@declared()
def writes_to_what_is_shared(probe):
    """Sum of the magnitudes of the gradients, made in place."""
    return sum(g.abs_().sum() for g in probe.loss_gradients())


@declared(data="noise", batches=1)
def draws_along_the_memory(probe):
    """Noise, in the order of the images in memory."""
    with probe.random_state("toy"):
        noise = torch.randn_like(probe.batch().images)
    return noise[0, 0, 0].sum() * len(probe.layers)


@declared(data="images")
def looks_at_labels(probe):
    """Sum of the magnitudes of the gradients."""
    return gradient(probe)


@declared(data="nothing", batches=1)
def looks_at_images(probe):
    """Sum of the pixels."""
    return probe.batch().images.abs().sum()


@declared(data="nothing")
def looks_at_the_seed(probe):
    """The seed."""
    return len(probe.layers) + probe.seed


@declared(data="labels")
def needs_no_labels(probe):
    """Sum of the logits."""
    return probe.forward().outputs.square().sum()


@declared(data="images")
def needs_no_images(probe):
    """Number of layers."""
    return len(probe.layers)


@declared(data="noise")
def noise_of_no_seed(probe):
    """Always the same noise."""
    return torch.randn(4, generator=torch.Generator().manual_seed(7)).sum() * len(probe.layers)


@declared()
def needs_more_batches(probe):
    """Sum of the magnitudes of two mini-batches' gradients."""
    return gradient(probe, 0) + gradient(probe, 1)


@declared(batches=3)
def needs_fewer_batches(probe):
    """Sum of the magnitudes of the first mini-batch's gradients."""
    return gradient(probe)


@declared()
def moves_weights(probe):
    """Sum of the magnitudes of the gradients, after a step."""
    with torch.no_grad():
        probe.weights[0].add_(0)
    return gradient(probe)


@declared()
def leaves_gradients(probe):
    """Sum of the magnitudes of the gradients, which stay."""
    value = gradient(probe)
    probe.weights[0].grad = torch.zeros_like(probe.weights[0])
    return value


@declared()
def passes_by_itself(probe):
    """Sum of the magnitudes of the gradients, after a pass that moves the running statistics."""
    with torch.no_grad():
        probe.network(probe.batch().images.clone())
    return gradient(probe)


@declared()
def falls_asleep(probe):
    """Sum of the magnitudes of the gradients, in training mode; then evaluation mode."""
    value = gradient(probe)
    probe.network.eval()
    return value


@declared()
def leaves_hooks(probe):
    """Sum of the magnitudes of the gradients, and a hook that stays."""
    probe.layers[0].register_forward_hook(lambda *_: None)
    return gradient(probe)


@declared()
def brightens(probe):
    """Sum of the magnitudes of the gradients, after the images were normalised in place."""
    value = gradient(probe)
    probe.batch().images.mul_(2)
    return value


@declared()
def asks_for_gradients(probe):
    """Sum of the magnitudes of the gradients; the images keep asking for theirs."""
    value = gradient(probe)
    probe.batch().images.requires_grad_(True)
    return value


@declared()
def seeds_torch(probe):
    """Sum of the magnitudes of the gradients, and a seed for all."""
    torch.manual_seed(0)
    return gradient(probe)


@declared()
def seeds_numpy(probe):
    """Sum of the magnitudes of the gradients, and a seed for all."""
    np.random.seed(0)  # noqa: NPY002
    return gradient(probe)


@declared()
def seeds_python(probe):
    """Sum of the magnitudes of the gradients, and a seed for all."""
    random.seed(0)
    return gradient(probe)


@declared()
def turns_gradients_off(probe):
    """Sum of the magnitudes of the gradients, the last ones."""
    with torch.enable_grad():
        value = float(gradient(probe))
    torch.set_grad_enabled(False)
    return value


@declared()
def switches_threads(probe):
    """Sum of the magnitudes of the gradients, and two threads for all."""
    torch.set_num_threads(2)
    return gradient(probe)


@declared()
def replaces_the_loss(probe):
    """Sum of the magnitudes of the gradients, and another loss for all."""
    nn.functional.cross_entropy = lambda outputs, labels: outputs.sum()
    return gradient(probe)


@declared()
def moves_elsewhere(probe):
    """Sum of the magnitudes of the gradients, from somewhere else."""
    os.chdir("/")
    return gradient(probe)


@declared()
def talks(probe):
    """Sum of the magnitudes of the gradients, told to all."""
    print("scoring")  # noqa: T201
    return gradient(probe)


@declared()
def talks_aside(probe):
    """Sum of the magnitudes of the gradients, told where errors are told."""
    sys.stderr.write("scoring")
    return gradient(probe)
