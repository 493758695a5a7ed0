"""The scores of any network: ``harness.score``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness._utils.arguments import shown
from harness._utils.process_settings import Snapshot
from harness._utils.signals import stops_noted
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError, NotApplicableError
from harness.execution.unit import Scene
from harness.images import Batch
from harness.networks import Places, prepared_with_logits
from harness.networks.kinds import TRANSPOSED, WEIGHTED, is_relu, is_unit
from harness.networks.replacing import is_parametrised, with_plain_weights
from harness.probe import Probe
from harness.probe.copying import copy_network
from harness.probe.ledger import Ledger
from harness.registry import select_proxies
from harness.scoring.given import Given, completed, given_batches, objective_for
from harness.seeds import derive_seed
from harness.tasks import Objective

if TYPE_CHECKING:
    import pandas as pd

Network = nn.Module | Callable[[], nn.Module]
"""A network, or a function that builds one."""

SCORE_COLUMNS = ("proxy", "value", "status", "reason", "better", "own_ms", "standalone_ms", "standalone_ratio")

FIRST_PASS = 2
"""Images of the pass that finds what a network calls; a batch norm needs two."""


def score(
    network: Network | Mapping[str, Network],
    images: object,
    labels: object = None,
    *,
    proxies: str | Proxy | Iterable[str | Proxy] | None = "standard",
    seed: int = 0,
    batches: int | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | Objective | None = None,
    device: str | torch.device | None = None,
    output: str | int | None = None,
    features: str | None = None,
    blocks: Sequence[str] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Score a network with zero-shot proxies, without training it.

    Works on a copy in training mode, so the network keeps every bit. The copy computes the same, with what it hides
    from proxies made visible: functions such as ``F.relu`` and attention become modules
    (:func:`harness.networks.prepared`). A proxy that is not defined for the network is skipped with the reason.

    Args:
        network: any :class:`torch.nn.Module` of images, vectors or sequences of floats; or a function that builds one,
            whose weights are then drawn with the seed; or several of these by name.
        images: one mini-batch, (N, ...), normalised as the network expects; or an iterable of mini-batches (images,
            labels), such as a :class:`torch.utils.data.DataLoader`.
        labels: of the mini-batch: classes (N,), distributions (N, classes), or whatever the loss takes. Without labels,
            random ones are drawn with the seed.
        proxies: as for :func:`harness.run`.
        seed: of everything that is drawn at random.
        batches: number of mini-batches; ZiCo needs 2. One tensor of images is split into this many (default: 1); from
            an iterable, this many are taken (default: as many as the proxies need).
        loss: of (outputs, labels), averaged over images; default: by the kind of the labels, cross entropy for classes.
        device: that computes; default: the network's.
        output: name or position of the logits, if the network returns a tuple, dictionary or dataclass.
        features: name of the module that returns the features before global pooling; default: found.
        blocks: names of the modules that return each block's features, the stem first; default: found.
        threads: of the processor; the last bits of a score may depend on it.

    Returns:
        One row per proxy: its value (NaN if there is none), ``status`` (``ok``, ``non_finite``, ``skipped`` or
        ``failed``) with the reason, which way is better, and its cost in milliseconds: what it adds to the others, what
        it costs alone, and the latter in forward and backward passes. Several networks have a first column ``network``.
        ``table.attrs["notes"]`` has, for each network, what is not in the numbers: parameters that no proxy of weights
        looks at, and layers whose weights are all zero, through which no gradient passes.

    Raises:
        HarnessError: if a name is unknown, the images or labels do not fit, or the network cannot be copied or called.

    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    >>> table = score(network, torch.randn(4, 3, 8, 8), proxies="params,flops,zico")
    >>> table.set_index("proxy")["value"].to_dict()
    {'params': 314.0, 'flops': 7856.0, 'zico': nan}
    >>> table["reason"].iloc[-1]
    'needs 2 mini-batches; there is 1'
    """
    import pandas as pd

    chosen = select_proxies(proxies)
    several = isinstance(network, Mapping)
    networks: dict[str, Network] = dict(network) if isinstance(network, Mapping) else {"": network}
    if not networks:
        raise HarnessError("no network given")
    if not isinstance(threads, int) or threads < 1:
        raise HarnessError(f"threads must be a whole number, 1 or more, not {shown(threads)}")
    given = given_batches(images, labels, batches, max(1, *(proxy.batches for proxy in chosen)))
    places: Places = {"output": output, "features": features, "blocks": blocks}
    tables, notes = [], {}
    for name, each in networks.items():
        with _named_in_errors(name), _own_modes(seed):
            scene, ready = _scene(each, given, chosen, int(seed), loss, device, places, threads)
            table = _table(scene, chosen)
        if several:
            table.insert(0, "network", name)
        tables.append(table)
        notes[name] = [*_left_out(ready), *_zeros(ready), *_other_units(ready)]
    result = pd.concat(tables, ignore_index=True)
    result.attrs["notes"] = notes
    return result


@contextmanager
def _own_modes(seed: int) -> Iterator[None]:
    """Gradients and full precision whatever the caller has switched off, and random numbers of the seed.

    The caller's random state stays.
    """
    exact = (torch.autocast(kind, enabled=False) for kind in ("cpu", "cuda"))
    with torch.inference_mode(False), torch.enable_grad(), next(exact), next(exact), torch.random.fork_rng():
        torch.manual_seed(derive_seed("passes", int(seed)))
        yield


@contextmanager
def _named_in_errors(name: str) -> Iterator[None]:
    try:
        yield
    except HarnessError as error:
        if not name:
            raise
        raise HarnessError(f"{name}: {error}") from error


def _scene(
    network: Network,
    given: Given,
    chosen: Sequence[Proxy],
    seed: int,
    loss: Callable[[Tensor, Tensor], Tensor] | Objective | None,
    device: str | torch.device | None,
    places: Places,
    threads: int,
) -> tuple[Scene, nn.Module]:
    """Everything that proxies need to score the network, and the network made ready for them."""
    built = _built(network, seed)
    place, dtype = _device_and_type(built, device)
    first = given.images[0][:FIRST_PASS].to(device=place, dtype=dtype)
    ready, logits, layout = _ready(built, first, places)
    sample = given.labels[0]
    objective = objective_for(None if sample is None else sample[:FIRST_PASS], logits, loss)
    batches = [
        Batch(batch.images.contiguous(memory_format=layout), batch.labels)
        for batch in completed(given, logits, objective, seed)
    ]
    if loss is None:
        objective = _fitting(objective, logits, batches[0].labels[:FIRST_PASS], sample is not None)
    anticipated = {quantity for proxy in chosen for quantity in proxy.anticipates}

    def copies() -> list[Batch]:
        return [Batch(batch.images.clone(), batch.labels.clone()) for batch in batches]

    def build(settings: Snapshot | None, ledger: Ledger) -> Probe:
        probe_seed = derive_seed("proxies", seed)
        return Probe(copy_network(ready), copies(), probe_seed, objective, anticipated, settings, ledger)

    return Scene(build, chosen, device=place, untouched=copies, threads=threads), _plain(ready)


def _fitting(objective: Objective, logits: Tensor, labels: Tensor, are_given: bool) -> Objective:
    """The objective; if random labels do not fit the outputs, with a loss that says so to the proxies that need it.

    Raises:
        HarnessError: if labels that were given do not fit.
    """
    try:
        with torch.no_grad():
            objective.loss(logits, labels)
    except Exception as error:
        shapes = f"{tuple(logits.shape[1:])} and labels {tuple(labels.shape[1:])} of one image"
        reason = " ".join(str(error).split())
        if are_given:
            raise HarnessError(
                f"{objective.words} of outputs {shapes} fails ({reason}); give labels that fit, or the loss of "
                "(outputs, labels)"
            ) from error
        says = f"{objective.words} of outputs {shapes} fails; give labels, or the loss of (outputs, labels)"

        def refused(_: Tensor, __: Tensor) -> Tensor:
            raise NotApplicableError(says)

        return replace(objective, loss=refused)
    return objective


def _table(scene: Scene, chosen: Sequence[Proxy]) -> pd.DataFrame:
    import pandas as pd

    found = scene.scores()
    if isinstance(found, str):
        raise HarnessError(found)
    scores, unit, _ = found
    rows = [
        (
            proxy.name,
            math.nan if one.value is None else one.value,
            one.status,
            one.error or "",
            proxy.better,
            one.own_seconds * 1e3,
            one.standalone_seconds * 1e3,
            one.standalone_seconds / unit if unit else math.nan,
        )
        for proxy, one in zip(chosen, scores, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _built(network: object, seed: int) -> nn.Module:
    """The network, or the one that the function builds with weights of the seed."""
    if isinstance(network, nn.Module):
        return network
    if not callable(network):
        raise HarnessError(f"network must be a torch.nn.Module or a function that builds one, not {shown(network)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("weights", seed))
        with stops_noted() as stops:
            try:
                built = network()
            except BaseException as error:
                if stops:
                    raise
                reason = " ".join(str(error).split())
                raise HarnessError(f"building the network failed: {type(error).__name__}: {reason}") from error
    if not isinstance(built, nn.Module):
        raise HarnessError(f"the function returned {shown(type(built).__name__)}, not a torch.nn.Module")
    return built


def _device_and_type(network: nn.Module, device: str | torch.device | None) -> tuple[str, torch.dtype]:
    """The device that computes, and the type of the network's numbers.

    Raises:
        HarnessError: if there is no such device, or the numbers are not float32 or float64.
    """
    floats = [p for p in (*network.parameters(), *network.buffers()) if p.is_floating_point()]
    dtype = floats[0].dtype if floats else torch.float32
    if dtype not in (torch.float32, torch.float64):
        kind = str(dtype).removeprefix("torch.")
        raise HarnessError(f"the network computes in {kind}; proxies need float32 or float64: give network.float()")
    try:
        place = torch.device(device) if device is not None else floats[0].device if floats else torch.device("cpu")
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise HarnessError(f"device '{device}' is not available: {reason}") from error
    if place.type == "meta":
        raise HarnessError("the network is on the device 'meta', which has no numbers; build it on the cpu")
    return str(place), dtype


def _plain(network: nn.Module) -> nn.Module:
    return with_plain_weights(network) if is_parametrised(network) else network


def _ready(network: nn.Module, images: Tensor, places: Places) -> tuple[nn.Module, Tensor, torch.memory_format]:
    """The prepared network and its logits, in the layout with the fastest convolutions if it runs in it, and that."""
    if images.dim() == 4:
        try:
            last = torch.channels_last
            reordered = images.contiguous(memory_format=last)
            return *prepared_with_logits(network, reordered, last, places), last
        except HarnessError:
            # Networks may call view() on maps, which needs the usual layout.
            pass
    return *prepared_with_logits(network, images, torch.preserve_format, places), torch.contiguous_format


def _left_out(network: nn.Module) -> list[str]:
    """The parameters with two or more axes that are no weight of a layer."""
    seen: set[int] = set()
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            seen.add(id(module.weight))
    found = []
    for path, module in network.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.dim() > 1 and id(parameter) not in seen:
                seen.add(id(parameter))
                size = "×".join(map(str, parameter.shape))
                is_transposed = isinstance(module, TRANSPOSED)
                counting = "#Params, #FLOPs and #Layers alone count" if is_transposed else "only #Params counts"
                place = f"{path}.{name}".lstrip(".")
                found.append(f"{counting} '{place}' ({size}, of a {type(module).__name__})")
    return found


def _zeros(network: nn.Module) -> list[str]:
    """The layers whose weights are all zero, as some networks initialise their last one."""
    return [
        f"the weights of '{path}' are all zero: no gradient passes it"
        for path, module in network.named_modules()
        if isinstance(module, WEIGHTED) and not bool(module.weight.any())
    ]


def _other_units(network: nn.Module) -> list[str]:
    """What proxies that count ReLUs leave out, if the network has others beside them."""
    units = [module for module in network.modules() if is_unit(module)]
    relus = sum(map(is_relu, units))
    if not 0 < relus < len(units):
        return []
    return [
        f"NASWOT, SWAP and other proxies that count ReLUs see {relus} of its {len(units)} units; naswot_units and "
        "swap_units count all"
    ]
