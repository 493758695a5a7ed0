"""Plausible bugs, two or three for each of the fourteen proxies, each as the whole formula with one thing wrong."""

from __future__ import annotations

import numpy as np
import torch

from harness.networks.initialisation import gaussian_weights
from harness.probe.passes import gradients, prunable_layers
from harness.proxies._alterations import without_batch_norm
from harness.proxies.gradient import _fisher_of_channels
from harness.proxies.jacobian import EPSILON
from harness.proxies.zen import PERTURBATION, standard_normal
from harness.registry import proxies

MUTANTS = {}


def mutant(proxy, bug):
    """Files a formula under the proxy it is wrong for and the bug in words."""

    def file(formula):
        MUTANTS[proxy, bug] = formula
        return formula

    return file


def pairs(probe, batch=0):
    return [(w.detach(), g) for w, g in zip(probe.weights, probe.loss_gradients(batch), strict=True)]


def original(name):
    return proxies()[name].function


def negated(name):
    formula = original(name)
    return lambda probe: -formula(probe)


def evaluated_gradients(probe):
    network = probe.copy().eval()
    batch = probe.batch()
    loss = probe.objective.loss(network(batch.images.clone()), batch.labels)
    return gradients(loss, [layer.weight for layer in prunable_layers(network)])


@mutant("params", "wrong layer set: no batch norm, no bias")
def _(probe):
    return sum(weight.numel() for weight in probe.weights)


@mutant("params", "counts tensors for entries")
def _(probe):
    return len(list(probe.network.parameters()))


@mutant("params", "buffers included")
def _(probe):
    return sum(tensor.numel() for tensor in probe.network.state_dict().values())


@mutant("flops", "operations for multiply-accumulates")
def _(probe):
    return 2 * probe.multiply_accumulates()


@mutant("flops", "of the whole mini-batch")
def _(probe):
    return probe.multiply_accumulates() * len(probe.batch().images)


@mutant("flops", "wrong layer set: last layer ignored")
def _(probe):
    images = len(probe.batch().images)
    calls = probe.forward().layer_outputs[:-1]
    return sum(layer.weight.numel() * (out.numel() // images // layer.weight.shape[0]) for layer, out in calls)


@mutant("l2_norm", "mean for sum")
def _(probe):
    return torch.stack([w.detach().norm() for w in probe.weights]).mean()


@mutant("l2_norm", "wrong layer set: no linear layer")
def _(probe):
    return sum(w.detach().norm() for w in probe.weights if w.dim() == 4)


@mutant("grad_norm", "squared norms")
def _(probe):
    return sum(g.square().sum() for _, g in pairs(probe))


@mutant("grad_norm", "eval for train mode")
def _(probe):
    return sum(g.norm() for g in evaluated_gradients(probe))


@mutant("grad_norm", "second batch for first")
def _(probe):
    return sum(g.norm() for _, g in pairs(probe, 1))


@mutant("plain", "added abs")
def _(probe):
    return sum((w * g).abs().sum() for w, g in pairs(probe))


@mutant("plain", "sign flipped")
def _(probe):
    return -sum((w * g).sum() for w, g in pairs(probe))


@mutant("plain", "wrong layer set: no linear layer")
def _(probe):
    return sum((w * g).sum() for w, g in pairs(probe) if w.dim() == 4)


@mutant("snip", "dropped abs")
def _(probe):
    return sum((w * g).sum() for w, g in pairs(probe))


@mutant("snip", "mean for sum")
def _(probe):
    return sum((w * g).abs().mean() for w, g in pairs(probe))


@mutant("snip", "eval for train mode")
def _(probe):
    return sum((w.detach() * g).abs().sum() for w, g in zip(probe.weights, evaluated_gradients(probe), strict=True))


@mutant("grasp", "sign flipped")
def _(probe):
    return probe.curvature_along_weights()


@mutant("grasp", "Hessian left out")
def _(probe):
    return -sum((w * g).sum() for w, g in pairs(probe))


@mutant("fisher", "fan-in left out")
def _(probe):
    return sum(channels for _, channels in _fisher_of_channels(probe))


@mutant("fisher", "mean over images before the square")
def _(probe):
    total = 0.0
    calls = zip(probe.forward().layer_outputs, probe.layer_output_gradients(), strict=True)
    for (layer, output), gradient in calls:
        product = output.detach() * gradient
        of_image = product.sum(dim=(2, 3)) if product.dim() == 4 else product
        total += layer.weight[0].numel() * of_image.mean(dim=0).square().sum() / 2
    return total


def flow(probe, network, magnitudes=True):
    linear = network.double()
    if magnitudes:
        with torch.no_grad():
            for tensor in linear.state_dict().values():
                if tensor.is_floating_point():
                    tensor.abs_()
    image = torch.ones(1, *probe.batch().images.shape[1:], dtype=torch.float64)
    weights = [layer.weight for layer in prunable_layers(linear)]
    return [(w.detach() * g).abs() for w, g in zip(weights, gradients(linear(image).sum(), weights), strict=True)]


@mutant("synflow", "weights without abs")
def _(probe):
    return sum(term.sum() for term in flow(probe, without_batch_norm(probe.copy()), magnitudes=False))


@mutant("synflow", "batch norm left in, eval mode")
def _(probe):
    return sum(term.sum() for term in flow(probe, probe.copy().eval()))


@mutant("synflow", "mean for sum")
def _(probe):
    return sum(term.mean() for term in flow(probe, without_batch_norm(probe.copy())))


MUTANTS["jacob_cov", "sign flipped"] = negated("jacob_cov")


@mutant("jacob_cov", "covariance for correlation")
def _(probe):
    values = torch.linalg.eigvalsh(torch.cov(probe.input_jacobian().double())) + EPSILON
    return -(values.log() + 1 / values).sum()


@mutant("jacob_cov", "last image ignored")
def _(probe):
    values = torch.linalg.eigvalsh(probe.jacobian_correlation()[:-1, :-1]) + EPSILON
    return -(values.log() + 1 / values).sum()


def kernel(probe, relus=slice(None), inactive=True):
    size = len(probe.batch().images)
    total = torch.zeros(size, size, dtype=torch.float64)
    for tensor in probe.forward().relu_inputs[relus]:
        codes = (tensor.detach().flatten(1) > 0).double()
        total += codes @ codes.T
        if inactive:
            total += (1 - codes) @ (1 - codes).T
    return total


@mutant("naswot", "inactive units not counted")
def _(probe):
    return torch.linalg.slogdet(kernel(probe, inactive=False)).logabsdet


@mutant("naswot", "last ReLU ignored")
def _(probe):
    return torch.linalg.slogdet(kernel(probe, slice(-1))).logabsdet


def zen(probe, generator, gaussian=True, scales=True):
    network = probe.copy()
    with torch.no_grad():
        if gaussian:
            gaussian_weights(network, generator)
        like = probe.batch().images
        inputs, noise = standard_normal(like, generator), standard_normal(like, generator)
        features = network.forward_features(inputs)
        moved = network.forward_features(inputs + PERTURBATION * noise)
        score = (moved - features).abs().flatten(1).sum(dim=1).mean().double().log()
        if scales:
            norms = (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
            score = score + sum(norm.running_var.mean().sqrt().log() for norm in norms)
    return score


@mutant("zen", "unseeded batch")
def _(probe):
    return zen(probe, torch.Generator().manual_seed(int(np.random.default_rng().integers(2**31))))


@mutant("zen", "scales of batch norm left out")
def _(probe):
    return zen(probe, torch.Generator().manual_seed(probe.seed), scales=False)


@mutant("zen", "weights not redrawn")
def _(probe):
    return zen(probe, torch.Generator().manual_seed(probe.seed), gaussian=False)


def class_sums(probe, labels):
    correlation = probe.jacobian_correlation()
    members = [labels == label for label in labels.unique()]
    return [(correlation[m][:, m].abs() + EPSILON).log().sum() for m in members]


@mutant("epe_nas", "dropped abs")
def _(probe):
    return sum(class_sums(probe, probe.class_labels()))


@mutant("epe_nas", "labels ignored")
def _(probe):
    return sum(term.abs() for term in class_sums(probe, torch.zeros_like(probe.class_labels())))


@mutant("epe_nas", "last image ignored")
def _(probe):
    correlation, labels = probe.jacobian_correlation()[:-1, :-1], probe.class_labels()[:-1]
    members = [labels == label for label in labels.unique()]
    return sum((correlation[m][:, m].abs() + EPSILON).log().sum().abs() for m in members)


def zico(first, second):
    total = 0.0
    for a, b in zip(first, second, strict=True):
        spread = (a - b).abs()
        varying = spread > 0
        ratio = ((a.abs() + b.abs())[varying] / spread[varying]).sum()
        total += float(ratio.log()) if ratio > 0 else 0.0
    return total


@mutant("zico", "last batch ignored")
def _(probe):
    return zico(probe.loss_gradients(0), probe.loss_gradients(0))


@mutant("zico", "deviation of magnitudes")
def _(probe):
    return zico([g.abs() for g in probe.loss_gradients(0)], [g.abs() for g in probe.loss_gradients(1)])


@mutant("zico", "wrong layer set: no linear layer")
def _(probe):
    first, second = ([g for g in probe.loss_gradients(batch) if g.dim() == 4] for batch in (0, 1))
    return zico(first, second)
