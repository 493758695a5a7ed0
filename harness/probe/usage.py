"""What a forward pass uses that is not a registered module, and so is hidden from proxies.

Proxies find layers, activation functions and batch norms as registered modules: they hook them, replace them and read
their weights. A network can also compute with functions (``F.relu``), use a module's weight without calling the module
(as :class:`torch.nn.MultiheadAttention` uses its ``out_proj``), or call modules that it keeps in a plain list. A pass
inside :func:`seeing` records this, and the proxy is skipped with a reason instead of giving a wrong number.

Recording costs a few microseconds per call of a torch function; results are the same bit for bit. The inside of
compiled code and custom autograd functions cannot be seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from harness.errors import NotApplicableError
from harness.networks.kinds import ACTIVATION_MODULES, LAYERS, NORMS_OF_IMAGES, TRANSPOSED, is_relu, stands_for

# fmt: off
_MATRIX_PRODUCTS = frozenset([
    "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "mv", "addmm", "addmm_", "addbmm", "baddbmm", "einsum",
    "tensordot", "inner", "dot", "vdot", "vecdot", "linalg_vecdot", "linalg_matmul", "linalg_multi_dot", "chain_matmul",
    "addmv", "addmv_", "addbmm_", "baddbmm_", "outer", "ger", "addr", "kron", "cdist",
])
_LAYER_FUNCTIONS = frozenset([
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution",
    "_convolution", "linear", "bilinear", "multi_head_attention_forward", "_native_multi_head_attention",
])
_RECURRENT = frozenset([
    "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell",
])
_WEIGHT_SECOND = _LAYER_FUNCTIONS - {"bilinear", "multi_head_attention_forward", "_native_multi_head_attention"}
_LAYER_FUNCTIONS |= _RECURRENT
_PRODUCTS = _MATRIX_PRODUCTS | _LAYER_FUNCTIONS | {"scaled_dot_product_attention"}
_RELUS = frozenset([
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "rrelu_", "threshold", "threshold_",
    "_threshold",
])
_CLAMPS = frozenset(["clamp", "clamp_", "clamp_min", "clamp_min_", "clip", "clip_", "maximum", "fmax", "max"])
_ACTIVATIONS = _RELUS | frozenset([
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "log_softmax", "log_sigmoid", "mish", "selu", "selu_", "sigmoid", "sigmoid_", "silu", "silu_", "softmax", "softmin",
    "softplus", "softshrink", "softsign", "tanh", "tanh_", "tanhshrink",
])
_BATCH_NORMS = frozenset([
    "batch_norm", "native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit", "_batch_norm_impl_index",
])
# fmt: on
_NORMS_OF_IMAGES = frozenset(
    ["layer_norm", "native_layer_norm", "group_norm", "native_group_norm", "instance_norm", "rms_norm"]
)


class Part(Enum):
    """What a proxy needs to see as registered modules; the value completes "the network ..." if it cannot."""

    WEIGHTS = "multiplies by weights that do not belong to a registered convolution or linear layer"
    LAYERS = "multiplies by weights without calling a registered convolution or linear layer"
    RELUS = "applies a ReLU that is not a registered module"
    ACTIVATIONS = "applies an activation function that is not a registered module"
    BATCH_NORMS = "normalises over the batch outside a registered batch norm"
    NORMS = "normalises single images outside a registered module"
    PRODUCTS = "multiplies features with features"
    MODULES = "calls a module that is not registered (kept in a plain list, or created in each pass)"


class Usage(TorchFunctionMode):
    """Records what the passes inside its block use other than by registered modules.

    Args:
        network: the network whose registered modules count as seen. A stand-in that the harness put into a copy
            declares the class that it replaces in an attribute ``stands_for``.

    Attributes:
        borrowed: ids of parameters used other than by the module that owns them.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.borrowed: set[int] = set()
        self._network = network
        self._unseen: dict[Part, dict[tuple[str, int], nn.Module]] = {}
        self._places: dict[Part, list[str]] = {}
        self._registered: set[int] = set()
        self._owners: dict[int, set[int]] = {}
        self._layer_weights: set[int] = set()
        # Tensors computed only from parameters and constants, with the ids of these parameters.
        self._made_of: dict[int, tuple[Tensor, frozenset[int]]] = {}
        self._vectors: set[int] = set()
        self._running = [network]
        self._thread = threading.get_ident()
        self._handles: list[RemovableHandle] = []
        for module in network.modules():
            self._registered.add(id(module))
            for parameter in module._parameters.values():
                if parameter is not None:
                    self._owners.setdefault(id(parameter), set()).add(id(module))
            self._know_parameters(module)
            if stands_for(module, LAYERS):
                self._layer_weights.add(id(module._parameters.get("weight")))

    def _know_parameters(self, module: nn.Module) -> None:
        for parameter in module._parameters.values():
            if parameter is not None:
                self._know_parameter(parameter)
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.is_leaf:
                self._made_of.setdefault(id(value), (value, frozenset()))

    def _know_parameter(self, parameter: Tensor) -> None:
        if id(parameter) not in self._made_of:
            self._made_of[id(parameter)] = (parameter, frozenset([id(parameter)]))
            if parameter.dim() < 2:
                self._vectors.add(id(parameter))

    def __enter__(self) -> Usage:
        super().__enter__()  # type: ignore[no-untyped-call]
        self._handles = [register_module_forward_pre_hook(self._before), register_module_forward_hook(self._after)]
        return self

    def __exit__(self, *error: Any) -> None:
        for handle in self._handles:
            handle.remove()
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._places = {
            part: [self._place(name, module) for (name, _), module in unseen.items()]
            for part, unseen in self._unseen.items()
        }
        # The record may outlive the copy of the network that it was made on.
        del self._network, self._unseen, self._made_of, self._running

    def _before(self, module: nn.Module, _: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        self._running.append(module)
        for buffer in module._buffers.values():
            # Passes may run on stand-ins, so buffers are known only now.
            if buffer is not None:
                self._made_of[id(buffer)] = (buffer, frozenset())
        if id(module) not in self._registered:
            self._note("call", Part.MODULES)
            self._know_parameters(module)
        if isinstance(module, torch.jit.ScriptModule):
            self._note("compiled code", *Part)

    def _after(self, module: nn.Module, *_: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        # This hook is not called for modules whose forward raised an error that the network caught.
        while self._running.pop() is not module:
            pass

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        values = (*args, *kwargs.values()) if kwargs else args
        for value in values:
            if type(value) is nn.Parameter:
                self._know_parameter(value)
        known = [self._made_of[id(value)] for value in values if id(value) in self._made_of]
        tensors: list[Tensor] = []
        if known or any(type(value) in (list, tuple) for value in values):
            tensors = _tensors(values)
            known = [self._made_of[id(tensor)] for tensor in tensors if id(tensor) in self._made_of]
        # Before the call, because it may fail on a stand-in's weight.
        weights = self._weights_among(name, args, kwargs, known, tensors)
        if weights:
            self._note_product(name, weights)
        elif name in _BATCH_NORMS and not self._is_running(nn.modules.batchnorm._BatchNorm):
            self._note(name, Part.BATCH_NORMS)
        elif name in _NORMS_OF_IMAGES and not self._is_running(NORMS_OF_IMAGES):
            self._note(name, Part.NORMS)
        elif name in _PRODUCTS:
            self._note(name, Part.PRODUCTS)
        elif name in _ACTIVATIONS or (name in _CLAMPS and _cuts_at_zero(name, args, kwargs)):
            self._note_activation(name)
        if name in _RECURRENT:
            self._note(name, Part.ACTIVATIONS, *([Part.RELUS] if "relu" in name else []))
        result = func(*args, **kwargs)
        if known:
            self._note_parameters(name, known, tensors, _tensors(result if isinstance(result, tuple) else (result,)))
        elif isinstance(result, Tensor) and not any(isinstance(value, Tensor) for value in values):
            # Made of nothing, such as a mask.
            self._made_of[id(result)] = (result, frozenset())
        return result

    def _weights_among(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        known: list[tuple[Tensor, frozenset[int]]],
        tensors: list[Tensor],
    ) -> frozenset[int]:
        """The parameters that a function multiplies features by, or computes what it multiplies them by from."""
        if not known or name not in _PRODUCTS:
            return frozenset()
        if name in _WEIGHT_SECOND:
            weight = args[1] if len(args) > 1 else kwargs.get("weight")
            return self._made_of[id(weight)][1] - self._vectors if id(weight) in self._made_of else frozenset()
        if name in _MATRIX_PRODUCTS and len(known) == len(tensors):
            return frozenset()
        if name.startswith(("addmm", "addbmm", "baddbmm", "addmv", "addr")) and known[0][0] is args[0]:
            known = known[1:]
        every = frozenset[int]().union(*(roots for _, roots in known))
        return every - self._vectors or every

    def _note_product(self, name: str, weights: frozenset[int]) -> None:
        """Note a function that multiplies by these parameters, or by tensors computed from them."""
        if not self._is_running(LAYERS):
            self._note(name, Part.LAYERS)
        if weights - self._layer_weights and not self._is_running(TRANSPOSED):
            self._note(name, Part.WEIGHTS)

    def _note_activation(self, name: str) -> None:
        relu = self._running[-1] if id(self._running[-1]) in self._registered else None
        if name in _RELUS | _CLAMPS and not (relu is not None and is_relu(relu)):
            self._note(name, Part.RELUS)
        if not self._is_running(ACTIVATION_MODULES):
            self._note(name, Part.ACTIVATIONS)

    def _note_parameters(
        self, name: str, known: list[tuple[Tensor, frozenset[int]]], tensors: list[Tensor], results: list[Tensor]
    ) -> None:
        """Note borrowed parameters among a function's arguments, and results computed only from parameters."""
        if not results and name != "__setitem__":
            return
        running = id(self._running[-1])
        self.borrowed |= {id(p) for p, _ in known if running not in self._owners.get(id(p), (running,))}
        if len(known) == len(tensors) and name not in _LAYER_FUNCTIONS:
            roots = frozenset[int]().union(*(roots for _, roots in known))
            for result in results:
                self._made_of.setdefault(id(result), (result, roots))
        elif name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
            # What features are written into is no constant any more.
            self._made_of.pop(id(tensors[0]), None)

    def _is_running(self, kinds: type[nn.Module] | tuple[type[nn.Module], ...]) -> bool:
        """Whether the innermost running module is registered and of one of the kinds."""
        running = self._running[-1]
        return id(running) in self._registered and stands_for(running, kinds)

    def _note(self, name: str, *parts: Part) -> None:
        for part in parts:
            self._unseen.setdefault(part, {})[name, id(self._running[-1])] = self._running[-1]

    def has(self, *parts: Part) -> bool:
        """Whether the passes used one of these parts other than by registered modules."""
        return any(part in self._places for part in parts)

    def require(self, *parts: Part) -> None:
        """Check, after the passes, that they used these parts only by registered modules.

        Raises:
            NotApplicableError: if not, with the places.
        """
        for part in parts:
            if part in self._places:
                places = self._places[part]
                more = f" and {len(places) - 3} more" if len(places) > 3 else ""
                raise NotApplicableError(f"the network {part.value}: {', '.join(places[:3])}{more}")

    def _place(self, name: str, module: nn.Module) -> str:
        paths = (path for path, registered in self._network.named_modules() if registered is module)
        path = next(paths, None)
        where = " (not registered)" if path is None else f" '{path}'" if path else ""
        return f"{name} in {type(module).__name__}{where}"


@contextmanager
def seeing(network: nn.Module, *parts: Part) -> Iterator[Usage]:
    """Check the passes inside the block: they must use these parts only by registered modules.

    >>> network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU())
    >>> with seeing(network, Part.WEIGHTS, Part.RELUS):
    ...     features = network(torch.zeros(1, 1, 3, 3))
    >>> with seeing(network, Part.RELUS):
    ...     features = network(torch.zeros(1, 1, 3, 3)).relu()
    Traceback (most recent call last):
    harness.errors.NotApplicableError: the network applies a ReLU that is not a registered module: relu in Sequential

    Raises:
        NotApplicableError: if they used one in another way, even if that made the pass fail.
    """
    usage = Usage(network)
    try:
        with usage:
            yield usage
    except Exception as error:
        if isinstance(error, NotApplicableError):
            raise
        try:
            usage.require(*parts)
        except NotApplicableError as reason:
            raise reason from error
        raise
    usage.require(*parts)


def keeps_modules_in_containers(network: nn.Module) -> bool:
    """Whether some module keeps others unregistered in a plain list, tuple or dict."""
    for module in network.modules():
        if type(module).__module__.startswith("torch.nn."):
            continue
        for name, value in vars(module).items():
            if name != "_modules" and isinstance(value, list | tuple | dict) and value:
                entries = value.values() if isinstance(value, dict) else value
                if any(isinstance(entry, nn.Module) for entry in entries):
                    return True
    return False


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    """The tensors among the values, including those in lists and tuples."""
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [entry for entry in value if isinstance(entry, Tensor)]
    return found


def _cuts_at_zero(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a clamp is a ReLU: lower bound 0, no upper bound; or a maximum with zeros."""
    low = kwargs.get("min", args[1] if len(args) > 1 else None)
    high = kwargs.get("max", args[2] if len(args) > 2 else None)
    low = kwargs.get("other", low)
    if isinstance(low, Tensor):
        # Also the other tensor of a maximum; the number after the input of ``max`` is an axis.
        return high is None and low.device.type != "meta" and not bool(low.any())
    return high is None and name != "max" and isinstance(low, int | float) and low == 0
