"""One network and its mini-batches: quantities shared by many proxies, each computed at most once.

A proxy asks the probe for the quantities in its formula. The first request computes a quantity, later requests get the
same tensors, and the ledger records what each proxy would have cost alone. Nothing here changes the network: passes run
on stand-in buffers, and a proxy that needs other weights or no batch norm works on a copy.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from harness._utils.process_settings import Snapshot
from harness.errors import NotApplicableError
from harness.images import Batch
from harness.networks.kinds import Layer, outputs_of
from harness.networks.replacing import is_parametrised, replace_modules, with_plain_weights
from harness.probe.activity import agreeing_units
from harness.probe.copying import copy_network
from harness.probe.curvature import Tape, curvature_along, record
from harness.probe.curvature.dual import curvature_in_dual_numbers
from harness.probe.forward import ForwardPass, recorded_pass
from harness.probe.ledger import Ledger
from harness.probe.passes import gradients, prunable_layers
from harness.probe.quantities import key_of, quantity
from harness.probe.shared import SharedQuantities
from harness.probe.usage import Part, Usage, seeing
from harness.tasks import CLASSES, Objective

__all__ = ["ForwardPass", "NotApplicableError", "Part", "Probe", "quantity", "replace_modules", "seeing"]


@dataclass(frozen=True)
class _BackwardPass:
    """Loss gradients at the weights and, if anticipated, at the layers' outputs and the tape's edges."""

    weights: list[Tensor]
    layer_outputs: list[Tensor]
    edges: list[Tensor]


class Probe(SharedQuantities):
    """One network at initialisation, its mini-batches, and everything that proxies compute from them.

    Args:
        network: in training mode, mapping images to logits or whatever the objective needs. It is not changed. If some
            of its tensors are parametrised (:mod:`torch.nn.utils.parametrize`), ``probe.network`` is a copy with plain
            weights of the same values, and ``probe.given`` is the network itself.
        batches: mini-batches on the network's device; most proxies use only the first.
        seed: of all random numbers that proxies draw.
        objective: the kind of labels, and the loss of (outputs, labels).
        anticipate: names of quantities that will be requested and cost nothing extra if known in advance
            (``layer_output_gradients``, ``curvature_along_weights``). The results are the same without it.
        settings: the process settings to compute quantities under; default: the current ones.
        ledger: records the times; default: one with the wall clock.
    """

    def __init__(
        self,
        network: nn.Module,
        batches: Sequence[Batch],
        seed: int = 0,
        objective: Objective = CLASSES,
        anticipate: Collection[str] = (),
        settings: Snapshot | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        super().__init__(seed, settings, ledger)
        self.given = network
        self.network = with_plain_weights(network) if is_parametrised(network) else network
        self.batches = list(batches)
        self.objective = objective
        self.anticipate = frozenset(anticipate)
        self._usages: dict[str, Usage] = {}

    def __repr__(self) -> str:
        """The network, its mini-batches, and the number of quantities computed so far."""
        batches = f"{len(self.batches)} mini-batches" + (f" like {self.batches[0]!r}" if self.batches else "")
        return f"<probe of {type(self.network).__name__}: {batches}; {len(self._results)} quantities computed>"

    def let_go(self) -> None:
        """Drop all cached results to free memory; quantities that are computed again have the same bits."""
        super().let_go()
        if self.batches and self.batches[0].images.is_cuda:
            torch.cuda.empty_cache()

    @property
    def layers(self) -> list[Layer]:
        """The convolutions and linear layers, in the network's order; only the first of those that share a weight."""
        return prunable_layers(self.network)

    @property
    def weights(self) -> list[Tensor]:
        """The weight of each of ``layers``, each distinct tensor once, without biases."""
        return [layer.weight for layer in self.layers]

    def batch(self, index: int = 0) -> Batch:
        """The mini-batch with this index.

        Raises:
            NotApplicableError: if the run has fewer batches.
        """
        if index >= len(self.batches):
            raise NotApplicableError(
                f"needs {index + 1} mini-batches; there {'is' if len(self.batches) == 1 else 'are'} {len(self.batches)}"
            )
        return self.batches[index]

    def class_labels(self, batch: int = 0) -> Tensor:
        """The class of each image of a mini-batch, (batch,), int64; the most likely class if labels are distributions.

        Raises:
            NotApplicableError: if the network does not classify images.
        """
        if not self.objective.has_classes:
            raise NotApplicableError(f"needs image classes; this task has none (loss: {self.objective.words})")
        labels = self.batch(batch).labels
        return labels.argmax(dim=1) if self.objective.target == "distribution" else labels

    def loss(self, outputs: Tensor, batch: int = 0) -> Tensor:
        """The loss of the network's outputs for a mini-batch."""
        return self.objective.loss(outputs, self.batch(batch).labels)

    @contextmanager
    def seeing(self, network: nn.Module, *parts: Part, method: str = "forward") -> Iterator[Usage]:
        """Check a training-mode pass of the network or an altered copy: these parts must be registered modules.

        Like :func:`harness.probe.usage.seeing`, but the usage of each method is recorded only once for all these
        passes.

        Args:
            network: the network that makes the pass.
            parts: the parts that must be registered modules.
            method: name of the network's method that makes the pass.

        Raises:
            NotApplicableError: if the pass uses one of the parts in another way.
        """
        known = self._usages.get(method)
        if known is not None:
            known.require(*parts)
            yield known
        else:
            with seeing(network, *parts) as usage:
                yield usage
                self._usages[method] = usage

    @quantity("harness.probe:Probe.forward")
    def forward(self, batch: int = 0) -> ForwardPass:
        """A forward pass in training mode with its graph and each call of a ReLU, convolution or linear layer."""
        return recorded_pass(self.network, self.batch(batch).images, lambda: self.seeing(self.network))

    @quantity("harness.probe:Probe.loss_gradients")
    def loss_gradients(self, batch: int = 0) -> list[Tensor]:
        """∂L/∂W of each of ``weights``; zeros for weights that do not reach the loss.

        Raises:
            NotApplicableError: if the network multiplies by other weights.
        """
        return self._loss_backward(batch).weights

    @quantity("harness.probe:Probe.layer_output_gradients")
    def layer_output_gradients(self, batch: int = 0) -> list[Tensor]:
        """∂L/∂(output) of each layer call, in the order and shapes of ``forward(batch).layer_outputs``.

        Raises:
            NotApplicableError: if the network multiplies by weights other than by calling a layer.
        """
        self.forward(batch).usage.require(Part.LAYERS)
        kept = self._loss_backward(batch).layer_outputs
        if kept:
            return kept
        passed = self.forward(batch)
        loss = self.loss(passed.outputs, batch)
        return gradients(loss, [output for _, output in passed.layer_outputs], retain_graph=True)

    @quantity("harness.probe:Probe._loss_backward")
    def _loss_backward(self, batch: int) -> _BackwardPass:
        """Gradients of the loss with respect to the weights and to anticipated tensors."""
        passed = self.forward(batch)
        passed.usage.require(Part.WEIGHTS)
        weights = self.weights
        if not weights:
            raise NotApplicableError("the network has no convolutions or linear layers")
        outputs = [output for _, output in passed.layer_outputs]
        first = batch == 0
        anticipated = outputs if first and "layer_output_gradients" in self.anticipate else []
        tape = self._tape() if first and "curvature_along_weights" in self.anticipate else None
        edges = tape.wanted if tape else []
        loss = self.loss(passed.outputs, batch)
        # Only the first batch's graph is used again (by the input Jacobian); the memory of the others is released.
        found = iter(gradients(loss, [*weights, *anticipated, *edges], retain_graph=first))
        if not first:
            del self._results[key_of(Probe.forward, batch)]
        return _BackwardPass(*([next(found) for _ in asked] for asked in (weights, anticipated, edges)))

    @quantity("harness.probe:Probe.input_jacobian")
    def input_jacobian(self) -> Tensor:
        """J = ∂(Σ outputs)/∂(images), one row per image: (batch, channels · height · width)."""
        passed = self.forward(0)
        (jacobian,) = gradients(passed.outputs.sum(), [passed.images], retain_graph=True)
        return jacobian.flatten(1)

    @quantity("harness.probe:Probe.jacobian_correlation")
    def jacobian_correlation(self) -> Tensor:
        """Correlation coefficients between the rows of the input Jacobian: (batch, batch), float64.

        NaN in the rows of images that do not affect the outputs.
        """
        return torch.corrcoef(self.input_jacobian().double())

    def relu_inputs(self, batch: int = 0) -> list[Tensor]:
        """The input of each call of a ReLU module.

        Raises:
            NotApplicableError: if the network has no ReLU modules, or applies ReLUs that are not modules.
        """
        passed = self.forward(batch)
        if not passed.relu_inputs:
            others = " (naswot_units and swap_units count its other units)" if passed.unit_inputs else ""
            raise NotApplicableError(f"the network has no ReLU modules{others}")
        passed.usage.require(Part.RELUS)
        return passed.relu_inputs

    def unit_inputs(self, batch: int = 0) -> list[Tensor]:
        """The input of each call of a module that is a ReLU or a relative of it, such as GELU and SiLU.

        Raises:
            NotApplicableError: if the network has no such modules, or applies activation functions otherwise.
        """
        passed = self.forward(batch)
        if not passed.unit_inputs:
            raise NotApplicableError("the network has no ReLU modules or relatives of them")
        passed.usage.require(Part.ACTIVATIONS)
        return passed.unit_inputs

    @quantity("harness.probe:Probe.relu_kernel")
    def relu_kernel(self) -> Tensor:
        """K_ij, the number of ReLU units with the same state on images i and j: (batch, batch), float64.

        Raises:
            NotApplicableError: if the network has no ReLU modules, or applies ReLUs that are not modules.
        """
        return agreeing_units(self.relu_inputs())

    @quantity("harness.probe:Probe._tape")
    def _tape(self) -> Tape | None:
        """The graph of the first batch's pass; None if it has an operation without a closed form."""
        return record(self.forward(0).outputs, self.weights)

    @quantity("harness.probe:Probe.curvature_along_weights")
    def curvature_along_weights(self) -> Tensor:
        """wᵀ H g, float64, with w all ``weights``, g their loss gradient and H the Hessian of the loss.

        Raises:
            NotApplicableError: if the network multiplies by other weights.
        """
        self.forward(0).usage.require(Part.WEIGHTS)
        tape = self._tape()
        if tape is None:
            return self._curvature_in_dual_numbers()
        outputs, weights = self.forward(0).outputs, self.weights
        passed = self._loss_backward(0).edges or gradients(self.loss(outputs), tape.wanted, retain_graph=True)
        of_weights = {id(w): gradient for w, gradient in zip(weights, self.loss_gradients(), strict=True)}
        return curvature_along(tape, passed, of_weights, outputs, self.loss)

    @quantity("harness.probe:Probe._curvature_in_dual_numbers")
    def _curvature_in_dual_numbers(self) -> Tensor:
        """The same for any network, at a higher cost."""
        return curvature_in_dual_numbers(self.network, self.batch(0).images, self.loss)

    @quantity("harness.probe:Probe.multiply_accumulates")
    def multiply_accumulates(self) -> int:
        """Number of multiply-accumulate operations in the forward pass of one image: convolutions and linear layers.

        Each position of a layer's output uses every weight once (the weight of a grouped convolution is smaller by the
        number of groups), and so does each position of a transposed convolution's input. A layer that is called several
        times counts each time. If the network also multiplies features by features, as attention does, or by weights
        without calling a layer, all products of another pass are counted by :mod:`torch.utils.flop_counter`.
        """
        passed, images = self.forward(0), len(self.batch(0).images)
        if passed.usage.has(Part.LAYERS, Part.PRODUCTS):
            return self._counted_products() // images
        direct = sum(
            layer.weight.numel() * (output.numel() // images // outputs_of(layer))
            for layer, output in passed.layer_outputs
        )
        return direct + passed.transposed_accumulates // images

    def _counted_products(self) -> int:
        """Multiply-accumulates of all convolutions and matrix products in a pass of the first mini-batch."""
        # The counter follows gradients, and fails on views of parameters.
        network = self.copy().requires_grad_(False)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(self.batch(0).images.clone())
        return int(counter.get_total_flops()) // 2

    def forward_backward_seconds(self) -> float:
        """Seconds of the first batch's forward and backward pass, the unit of costs; NaN if they were not made."""
        seconds = [self.ledger.exclusive(key_of(step, 0)) for step in (Probe.forward, Probe._loss_backward)]
        return sum(seconds) if all(seconds) else math.nan

    def copy(self) -> nn.Module:
        """A copy of the network that may be changed."""
        return copy_network(self.network)
