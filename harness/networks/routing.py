"""Functions that a network calls, such as ``F.relu``, made visible as registered modules.

Proxies find layers and activation functions as registered modules. A first pass through a copy of the network gives
each call of such a function a module that stands for it, registered in the module that makes the call. From then on,
passes call these modules in place of the functions, with the same numbers, and proxies hook, replace and read them like
any other module. Functions on weights that belong to no layer get a layer with the same weight.

A call is recognised by its place: the module that makes it, the function, and how many times the module has called this
function before in the same pass. If a later pass calls a function that the first one did not, nothing stands for it,
and proxies that need to see it are skipped with the reason (:mod:`harness.probe.usage`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from harness.errors import HarnessError
from harness.networks.attention import DotProductAttention
from harness.networks.kinds import LAYERS
from harness.networks.stand_ins import MARK, ClampReLU, Hardsigmoid, Hardswish, MatrixProduct, Softmax

Arguments = Mapping[str, Any]

SETTINGS = "_settings_of_calls"
"""The attribute of a module with the settings of the calls that modules stand for, by their names."""


_ACTIVATIONS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "relu": (nn.ReLU, ()),
    "relu6": (nn.ReLU6, ()),
    "leaky_relu": (nn.LeakyReLU, ("negative_slope",)),
    "elu": (nn.ELU, ("alpha",)),
    "celu": (nn.CELU, ("alpha",)),
    "selu": (nn.SELU, ()),
    "gelu": (nn.GELU, ("approximate",)),
    "silu": (nn.SiLU, ()),
    "mish": (nn.Mish, ()),
    "hardswish": (Hardswish, ()),
    "hardsigmoid": (Hardsigmoid, ()),
    "hardtanh": (nn.Hardtanh, ("min_val", "max_val")),
    "sigmoid": (nn.Sigmoid, ()),
    "tanh": (nn.Tanh, ()),
    "softplus": (nn.Softplus, ("beta", "threshold")),
    "log_sigmoid": (nn.LogSigmoid, ()),
    "softsign": (nn.Softsign, ()),
    "tanhshrink": (nn.Tanhshrink, ()),
    "hardshrink": (nn.Hardshrink, ("lambd",)),
    "softshrink": (nn.Softshrink, ("lambd",)),
    "glu": (nn.GLU, ("dim",)),
}
"""The module of each activation function, and the names of the function's arguments after its input."""

_CONVOLUTIONS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    **{
        f"conv{n}d": (kind, ("stride", "padding", "dilation", "groups"))
        for n, kind in ((1, nn.Conv1d), (2, nn.Conv2d), (3, nn.Conv3d))
    },
    **{
        f"conv_transpose{n}d": (kind, ("stride", "padding", "output_padding", "groups", "dilation"))
        for n, kind in ((1, nn.ConvTranspose1d), (2, nn.ConvTranspose2d), (3, nn.ConvTranspose3d))
    },
}

_CLAMPS = ("clamp", "clamp_min", "clip")

_PRODUCTS = ("matmul", "__matmul__", "mm", "addmm")


_OPEN: list[tuple[int, int]] = []
"""The threads and networks of the passes that run."""


class Routing(TorchFunctionMode):
    """Passes in its block call the modules that stand for functions.

    Args:
        network: the network that makes the passes.
        making: whether to create the modules; otherwise only those that exist are called.
        original: the network that it is a copy of, whose modules and parameters it must not use.

    Raises:
        HarnessError: in a pass that uses a module or parameter of the original.
    """

    def __init__(self, network: nn.Module, making: bool = False, original: nn.Module | None = None) -> None:
        super().__init__()
        foreign = () if original is None else (*original.named_modules(), *original.named_parameters())
        self._foreign = {id(thing): name for name, thing in foreign}
        self.made = 0
        self._making = making
        self._running: list[tuple[nn.Module, Counter[str]]] = [(network, Counter())]
        self._thread = threading.get_ident()
        self._handles: list[Any] = []

    @staticmethod
    def is_open(network: nn.Module) -> bool:
        """Whether a pass of the network runs inside a block of this kind."""
        return (threading.get_ident(), id(network)) in _OPEN

    def __enter__(self) -> Routing:
        _OPEN.append((self._thread, id(self._running[0][0])))
        super().__enter__()  # type: ignore[no-untyped-call]
        self._handles = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after, always_call=True),
        ]
        return self

    def __exit__(self, *error: Any) -> None:
        for handle in self._handles:
            handle.remove()
        _OPEN.remove((self._thread, id(self._running[0][0])))
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def _refuse_foreign(self, thing: object) -> None:
        if id(thing) in self._foreign:
            raise HarnessError(
                f"a function that the network keeps uses '{self._foreign[id(thing)]}' of the very network that was"
                " given, so a copy would not be one; make the function a method or a module"
            )

    def _before(self, module: nn.Module, _: Any) -> None:
        if threading.get_ident() == self._thread:
            self._running.append((module, Counter()))
        self._refuse_foreign(module)

    def _after(self, module: nn.Module, *_: Any) -> None:
        if threading.get_ident() == self._thread:
            while self._running.pop()[0] is not module:
                pass

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._foreign:
            for value in (*args, *kwargs.values()):
                self._refuse_foreign(value)
        name = _name_of(func)
        if name not in _RULES:
            return func(*args, **kwargs)
        module, calls = self._running[-1]
        if _is_seen(module):
            return func(*args, **kwargs)
        place = f"{name}{MARK}{calls[name]}"
        calls[name] += 1
        standing = module._modules.get(place)
        if standing is None and self._making:
            standing = _RULES[name](func, args, kwargs)
            if standing is not None:
                module.__dict__.setdefault(SETTINGS, {})[place] = _settings(name, args, kwargs)
                # In front, because some proxies look at a network's last module.
                others = dict(module._modules)
                module._modules.clear()
                module._modules.update({place: standing.train(module.training), **others})
                self.made += 1
        if standing is None or not _fits(standing, name, module.__dict__[SETTINGS][place], args, kwargs):
            return func(*args, **kwargs)
        return _call(standing, func, name, args, kwargs)


def _name_of(func: Callable[..., Any]) -> str:
    """The function's name; that of ``relu_`` is ``relu``, and ``F.threshold`` is named ``_threshold``."""
    name: str = getattr(func, "__name__", "")
    return name if name.startswith("__") else name.lstrip("_").removesuffix("_")


def _is_seen(module: nn.Module) -> bool:
    """Whether the module is itself one that proxies know: of torch without parts, or standing for one."""
    if hasattr(type(module), "stands_for"):
        return True
    return type(module).__module__.startswith("torch.nn.") and not any(MARK not in name for name in module._modules)


def _named(names: tuple[str, ...], args: tuple[Any, ...], kwargs: Arguments) -> dict[str, Any]:
    """A function's arguments after the first, by name."""
    return dict(zip(names, args[1:], strict=False)) | {name: value for name, value in kwargs.items() if name != "input"}


def _activation(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    kind, names = _ACTIVATIONS[_name_of(func)]
    given = _named((*names, "inplace"), args, kwargs)
    return kind(**{name: given[name] for name in names if name in given})


def _clamp(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    """A ReLU, for a lower bound of 0 and no upper bound, or a ReLU6."""
    given = _named(("min", "max"), args, kwargs)
    low, high = given.get("min"), given.get("max")
    if not isinstance(low, int | float) or low != 0:
        return None
    return ClampReLU() if high is None else nn.ReLU6() if isinstance(high, int | float) and high == 6 else None


def _threshold(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    """A ReLU, if what is not above 0 becomes 0."""
    given = _named(("threshold", "value", "inplace"), args, kwargs)
    return nn.ReLU() if given.get("threshold") == given.get("value") == 0 else None


def _softmax(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module:
    return Softmax(func)


def _attention(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module:
    return DotProductAttention()


def _linear(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    given = _named(("weight", "bias"), args, kwargs)
    weight = given.get("weight")
    if not isinstance(weight, nn.Parameter) or weight.dim() != 2:
        return None
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    return _with(layer, weight, given.get("bias"))


def _convolution(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    kind, names = _CONVOLUTIONS[func.__name__]
    given = _named(("weight", "bias", *names), args, kwargs)
    weight = given.get("weight")
    if not isinstance(weight, nn.Parameter):
        return None
    groups = given.get("groups", 1)
    first, second = weight.shape[0], weight.shape[1] * groups
    channels = (first, second) if "Transpose" in kind.__name__ else (second, first)
    chosen = {name: given[name] for name in names if name in given}
    layer = kind(*channels, tuple(weight.shape[2:]), bias=False, device="meta", **chosen)
    return _with(layer, weight, given.get("bias"))


def _product(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Arguments) -> nn.Module | None:
    if kwargs or len(args) != (3 if func.__name__ == "addmm" else 2):
        return None
    weight = args[-1]
    if not isinstance(weight, nn.Parameter) or weight.dim() != 2 or isinstance(args[-2], nn.Parameter):
        return None
    return MatrixProduct(weight)


def _with(layer: Any, weight: nn.Parameter, bias: object) -> nn.Module | None:
    """The layer with these very parameters; None if the bias is no parameter."""
    layer.weight = weight
    if bias is not None:
        if not isinstance(bias, nn.Parameter):
            return None
        layer.bias = bias
    return layer  # type: ignore[no-any-return]


def _call(
    standing: nn.Module, func: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What the function returns, and does, computed by the module that stands for its call."""
    if isinstance(standing, DotProductAttention | Softmax):
        return standing(*args, **kwargs)
    if isinstance(standing, MatrixProduct):
        product = standing(args[-2])
        return args[0] + product if name == "addmm" else product
    x: Tensor = args[0] if args else kwargs["input"]
    if not (func.__name__.endswith("_") or _in_place(name, args, kwargs)):
        return standing(x)
    return x.copy_(standing(x.clone()))


def _weight_and_settings(name: str, args: tuple[Any, ...], kwargs: Arguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The weight and bias among a function's arguments, and those that are no tensors."""
    if name in _PRODUCTS:
        return args[-1:], {}
    if name in _CONVOLUTIONS or name == "linear":
        given = _named(("weight", "bias", *_CONVOLUTIONS.get(name, (None, ()))[1]), args, kwargs)
        return (given.pop("weight", None), given.pop("bias", None)), given
    if name in _ACTIVATIONS:
        given = _named((*_ACTIVATIONS[name][1], "inplace"), args, kwargs)
    elif name in _CLAMPS:
        given = _named(("min", "max"), args, kwargs)
    elif name == "threshold":
        given = _named(("threshold", "value", "inplace"), args, kwargs)
    else:
        given = {}
    return (), {key: value for key, value in given.items() if key != "inplace"}


def _settings(name: str, args: tuple[Any, ...], kwargs: Arguments) -> str:
    return repr(sorted(_weight_and_settings(name, args, kwargs)[1].items()))


def _fits(standing: nn.Module, name: str, settings: str, args: tuple[Any, ...], kwargs: Arguments) -> bool:
    """Whether a call has the weights and settings of the one that the module was made for."""
    tensors, given = _weight_and_settings(name, args, kwargs)
    if tensors and isinstance(standing, LAYERS):
        own = (standing.weight, getattr(standing, "bias", None))
        if any(one is not other for one, other in zip(tensors, own, strict=False)):
            return False
    return repr(sorted(given.items())) == settings


def _in_place(name: str, args: tuple[Any, ...], kwargs: Arguments) -> bool:
    names = _ACTIVATIONS[name][1] if name in _ACTIVATIONS else ("threshold", "value") if name == "threshold" else None
    return names is not None and _named((*names, "inplace"), args, kwargs).get("inplace") is True


_RULES: dict[str, Callable[[Callable[..., Any], tuple[Any, ...], Arguments], nn.Module | None]] = {
    **dict.fromkeys(_ACTIVATIONS, _activation),
    **dict.fromkeys(_CLAMPS, _clamp),
    "threshold": _threshold,
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    **dict.fromkeys(_PRODUCTS, _product),
    "linear": _linear,
    "scaled_dot_product_attention": _attention,
}
"""What makes the module that stands for a call of a function; None where no module can."""
