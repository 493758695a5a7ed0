"""Zen-Score: how far perturbing the input moves the features of a network with Gaussian weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.initialisation import gaussian_weights
from harness.networks.kinds import BATCH_NORM
from harness.networks.leaving import hooked
from harness.networks.pooling import with_quick_pooling
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part
from harness.proxies._alterations import require_batch_norm_alone
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe

PERTURBATION = 0.01
MOMENTUM = 0.1
"""Momentum of every batch norm, as in the official networks."""
SEEN = (Part.WEIGHTS, Part.BATCH_NORMS, Part.NORMS)


def network_with_features(probe: Probe) -> Any:
    """A copy of the network that may be changed and offers ``forward_features``.

    Raises:
        NotApplicableError: if the network does not offer it.
    """
    if not hasattr(probe.network, "forward_features"):
        raise NotApplicableError("the network has no method forward_features (the feature map before global pooling)")
    return probe.copy()


def standard_normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """N(0, 1) with the shape, layout, dtype and device of another tensor; the same numbers on every device."""
    return torch.empty_like(like).copy_(torch.randn(like.shape, generator=generator))


@proxy(
    "zen",
    label="Zen-Score",
    better="higher",
    data="noise",
    cite="lin2021zen",
    axes=("expressivity",),
    source="ZeroShotProxy/compute_zen_score.py",
    version=2,
    batches=1,
    aliases=("zen_nas",),
)
@quantity("harness.proxies.zen:_zen")
def zen(probe: Probe) -> Tensor:
    r"""How far a small change of the input moves the features, corrected for the scale that batch norm removes.

    :math:`\log \operatorname{mean}_n \lVert f(x_n + \alpha \epsilon_n) - f(x_n) \rVert_1 + \sum_{BN} \log
    \sqrt{\operatorname{mean}_c \sigma^2_c}` with f the features before global pooling, x and ε from N(0, 1), α = 0.01,
    Gaussian weights, training mode and residual connections kept. As the official code does, σ² is the running variance
    after the two passes, .81 + .19 of the batch variance, and the norm is L1; the paper's algorithm uses the batch
    variance and the Frobenius norm (``zen_paper``). The momentum is .1 and the initial variance 1 in every batch norm,
    whatever the network declares: NAS-Bench-101's networks mix .1 with .997, which would weight the variances of some
    layers differently. One repeat, as in the official search; ``zen_32`` has 32.

    The official search scores networks whose blocks are built without their residual links. This is defined for blocks
    with one shortcut next to the layers. In a cell, each node adds up several edges, none of which is the residual
    link, and a skip connection is an operation that the search chose. Without skip connections, other architectures
    would be scored, and some would be disconnected. So there is no such variant. A batch norm that is called several
    times counts each time, with separate running statistics for each call.

    Raises:
        NotApplicableError: if the network does not offer ``forward_features``, has layer norms or other normalisations
            of single images, whose scale the score does not correct for, or holds weights or batch norms that are not
            registered modules.
    """
    return _mean_score(probe, repeats=1)


@proxy(
    "zen_32",
    label="Zen-Score (32 repeats)",
    better="higher",
    data="noise",
    cite="lin2021zen",
    axes=("expressivity",),
    source="ZeroShotProxy/compute_zen_score.py, 32 repeats as by its command line",
    version=2,
    batches=1,
    variant_of="zen",
)
@quantity("harness.proxies.zen:_zen_32")
def zen_32(probe: Probe) -> Tensor:
    """Mean Zen-Score over 32 draws of weights and inputs, without resetting the running variances in between.

    Otherwise as ``zen``, which is the first repeat. The official code draws new weights for each repeat but does not
    reset the running variances, so later repeats use a converged variance, while the first includes .81 of the initial
    one. 64 forward passes.

    Raises:
        NotApplicableError: if the network does not offer ``forward_features``.
    """
    return _mean_score(probe, repeats=32)


def _mean_score(probe: Probe, repeats: int) -> Tensor:
    """The mean Zen-Score of several draws on one network whose running variances are never reset."""
    require_batch_norm_alone(probe.network)
    network: Any = with_quick_pooling(network_with_features(probe))
    like = probe.batch().images
    statistics = _StatisticsOfCalls(network)
    generator = torch.Generator().manual_seed(probe.seed)
    scores: list[Tensor] = []
    with torch.no_grad():
        for _ in range(repeats):
            gaussian_weights(network, generator)
            inputs, noise = standard_normal(like, generator), standard_normal(like, generator)
            with probe.seeing(network, *SEEN, method="forward_features"):
                features = network.forward_features(inputs)
            statistics.end_pass()
            moved = network.forward_features(inputs + PERTURBATION * noise)
            statistics.end_pass()
            distance = (moved - features).abs().flatten(1).sum(dim=1).mean().double().log()
            scores.append(distance + sum_of(variance.mean().sqrt().log() for variance in statistics.variances()))
    return torch.stack(scores).mean()


class _StatisticsOfCalls:
    """Separate running statistics for each call of a batch norm in a pass, as if each call were its own module.

    Args:
        network: a copy that may be changed; every pass must call each batch norm equally often.
    """

    def __init__(self, network: nn.Module) -> None:
        norms: list[nn.Module] = [module for module in network.modules() if isinstance(module, BATCH_NORM)]
        for norm in norms:
            _begin_statistics(norm)
        self._initial = {norm: {name: buffer.clone() for name, buffer in norm.named_buffers()} for norm in norms}
        self._of_calls = {norm: [dict(norm.named_buffers())] for norm in norms}
        self._called: Counter[nn.Module] = Counter()
        self._hooks = {norm: norm.register_forward_pre_hook(self._before) for norm in norms}

    def _before(self, norm: nn.Module, _: Any) -> None:
        calls, index = self._of_calls[norm], self._called[norm]
        if index == len(calls):
            calls.append({name: buffer.clone() for name, buffer in self._initial[norm].items()})
        norm._buffers.update(calls[index])
        self._called[norm] += 1

    def end_pass(self) -> None:
        """Start counting calls from the first one again."""
        for norm in [norm for norm in self._hooks if self._called[norm] <= 1]:
            # Called at most once: nothing to separate in this pass or the following ones.
            self._hooks.pop(norm).remove()
        self._called.clear()

    def variances(self) -> Iterator[Tensor]:
        """The running variance of each call, (channels,); a batch norm that is never called gives its own."""
        for calls in self._of_calls.values():
            yield from (buffers["running_var"] for buffers in calls)


def _begin_statistics(norm: nn.Module) -> None:
    """Running statistics from mean 0 and variance 1 on, with the momentum of Zen-Score's networks."""
    assert isinstance(norm, BATCH_NORM)
    if not norm.track_running_stats:
        like = next((tensor for tensor in norm.parameters()), torch.empty(0))
        alike = type(norm)(norm.num_features, device=like.device, dtype=like.dtype)
        norm._buffers.update(alike._buffers)
        norm.track_running_stats = True
    norm.reset_running_stats()
    norm.momentum = MOMENTUM


@proxy(
    "zen_paper",
    label="Zen-Score (paper)",
    better="higher",
    data="noise",
    cite="lin2021zen",
    axes=("expressivity",),
    source="Algorithm 1 of the paper, residual connections kept",
    version=2,
    batches=1,
    variant_of="zen",
)
@quantity("harness.proxies.zen:_zen_paper")
def zen_paper(probe: Probe) -> Tensor:
    r"""Zen-Score as defined in the paper: batch variances of the first pass, and the Frobenius norm.

    :math:`\log \operatorname{mean}_n \lVert f(x_n + \alpha \epsilon_n) - f(x_n) \rVert_F + \sum_{BN} \log
    \sqrt{\operatorname{mean}_c \sigma^2_c}` with :math:`\sigma^2_c` the (biased) variance of channel c in the
    mini-batch x, which the batch norm divides by. Otherwise as ``zen``: the same weights and inputs, one repeat, and
    residual connections kept (the algorithm removes them). A batch norm that is called several times counts each time.

    Raises:
        NotApplicableError: as for ``zen``.
    """
    require_batch_norm_alone(probe.network)
    network = network_with_features(probe)
    like = probe.batch().images
    generator = torch.Generator().manual_seed(probe.seed)
    gaussian_weights(network, generator)
    inputs, noise = standard_normal(like, generator), standard_normal(like, generator)
    variances: list[Tensor] = []

    def before_batch_norm(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variances.append(inputs[0].var(dim=(0, *range(2, inputs[0].dim())), correction=0).mean())

    with torch.no_grad():
        norms: list[nn.Module] = [module for module in network.modules() if isinstance(module, BATCH_NORM)]
        handles = [norm.register_forward_pre_hook(before_batch_norm) for norm in norms]
        with hooked(handles), probe.seeing(network, *SEEN, method="forward_features"):
            features: Tensor = network.forward_features(inputs)
        moved: Tensor = network.forward_features(inputs + PERTURBATION * noise)
        distance: Tensor = torch.linalg.vector_norm((moved - features).flatten(1), dim=1).mean().double().log()
    return distance + sum_of(variance.sqrt().log() for variance in variances)
