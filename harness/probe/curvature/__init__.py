r"""wᵀ H g from one walk up and one walk down the recorded graph of a forward pass.

H is the Hessian of the loss, w the weights and g their gradient. Along the direction w, every tensor of the forward
pass and every gradient of the backward pass has a tangent; the tangent of g is H w. Closed forms propagate both through
the recorded graph (:mod:`harness.probe.curvature.rules`), so neither pass is computed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from harness.probe.curvature.graph import Edge, Graph, Rule, Walk
from harness.probe.curvature.rules import rule_of


@dataclass(frozen=True)
class Tape:
    """The graph of a forward pass, to be walked in both directions.

    Attributes:
        output: the edge where the walk up ends and the walk down starts.
        nodes: the nodes between the requested weights and the output, each after its inputs and with its rule.
        graph: the graph.
        edges: where the gradient of the loss is needed, besides the weights.
    """

    output: Edge
    nodes: tuple[tuple[Any, Rule], ...]
    graph: Graph
    edges: tuple[Edge, ...]

    @property
    def wanted(self) -> list[GradientEdge]:
        """``edges``, as :func:`torch.autograd.grad` takes them."""
        return [GradientEdge(*edge) for edge in self.edges]


def record(outputs: Tensor, weights: Sequence[Tensor]) -> Tape | None:
    """The tape of a pass along these weights, leaves of the outputs' graph; None where it has no closed form."""
    if outputs.grad_fn is None:
        return None
    wanted = {id(weight) for weight in weights}
    ordered = _inputs_first(outputs.grad_fn)
    leaves = {node: node.variable for node in ordered if id(getattr(node, "variable", None)) in wanted}
    leading = set(leaves)
    for node in ordered:
        if any(below in leading for below, _ in node.next_functions):
            leading.add(node)
    graph = Graph(leaves, leading, Counter(edge for node in ordered for edge in node.next_functions))
    nodes: list[tuple[Any, Rule]] = []
    edges: list[Edge] = []
    for node in ordered:
        if node not in leading or node in leaves:
            continue
        rule = rule_of(node)
        several = any(below in leading and output != 0 for below, output in node.next_functions)
        needed = None if rule is None or several else rule.needs(node, graph)
        if rule is None or needed is None:
            return None
        nodes.append((node, rule))
        edges += needed
    return Tape((outputs.grad_fn, outputs.output_nr), tuple(nodes), graph, tuple(dict.fromkeys(edges)))


def _inputs_first(root: Any) -> list[Any]:
    """The root and all nodes that it depends on, each after its own inputs."""
    ordered: list[Any] = []
    met: set[Any] = set()
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        node, finished = waiting.pop()
        if finished:
            ordered.append(node)
        elif node not in met:
            met.add(node)
            waiting.append((node, True))
            waiting += [(below, False) for below, _ in node.next_functions if below is not None]
    return ordered


@torch.no_grad()
def curvature_along(
    tape: Tape,
    passed: Sequence[Tensor],
    weight_gradients: Mapping[int, Tensor],
    outputs: Tensor,
    loss: Callable[[Tensor], Tensor],
) -> Tensor:
    """wᵀ H g for the weights w and the gradient g of the loss, float64.

    Args:
        tape: of the forward pass.
        passed: the gradients of the loss at ``tape.edges``.
        weight_gradients: g, by the ``id`` of the weight.
        outputs: of the forward pass.
        loss: as a function of the outputs.
    """
    leaves = tape.graph.leaves
    of_leaves = {(leaf, 0): weight_gradients[id(weight)] for leaf, weight in leaves.items()}
    walk = Walk(tape.graph, dict(zip(tape.edges, passed, strict=True)) | of_leaves, {})
    walk.tangents.update({(leaf, 0): weight.detach() for leaf, weight in leaves.items()})
    for node, rule in tape.nodes:
        walk.tangents[node, 0] = rule.up(node, [walk.tangents.get(edge) for edge in node.next_functions], walk)
    total = outputs.new_zeros((), dtype=torch.float64)
    moved: dict[Edge, Tensor] = {}
    if tape.output in walk.tangents:
        moved[tape.output] = _hessian_product(loss, outputs, walk.tangents[tape.output])
    for node, rule in reversed(tape.nodes):
        for edge, tangent in rule.down(node, moved.pop((node, 0), None), walk):
            if edge[0] in leaves:
                total = total + (walk.gradients[edge].double() * tangent.double()).sum()
            else:
                moved[edge] = moved[edge] + tangent if edge in moved else tangent
        del walk.tangents[node, 0]
    return total


def _hessian_product(loss: Callable[[Tensor], Tensor], outputs: Tensor, tangent: Tensor) -> Tensor:
    """The Hessian of the loss with respect to the outputs, times their tangent."""
    with torch.enable_grad():
        leaf = outputs.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
        if not gradient.requires_grad:
            return torch.zeros_like(outputs)
        (product,) = torch.autograd.grad(gradient, leaf, tangent, allow_unused=True, materialize_grads=True)
    return product
