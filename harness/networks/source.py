"""A network as Python source: one file that needs nothing but torch, for training it elsewhere.

The network is traced with :mod:`torch.fx`. Each layer that the trace calls is made with the arguments that its
attributes show, and the forward pass is written call by call. What cannot be written, such as branches that depend on
numbers or loops over tensors, is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from harness.errors import HarnessError

_INSTEAD = "save it with torch.export instead (--out NAME.pt2)"
_INFIX = {operator.add: "+", operator.mul: "*", operator.sub: "-", operator.truediv: "/"}
_ELSEWHERE = ("device", "dtype")
"""Arguments of layers that do not belong to an architecture."""


def source_of(network: nn.Module, title: str) -> str:
    """The source of a module with a class ``Network``, the same network with torch's default initialisation.

    The class's layers have the names of the network's, with underscores in place of dots.

    Args:
        network: the network; its weights are not part of the source.
        title: the docstring of the module, on one line.

    Raises:
        HarnessError: if it cannot be traced, or has a layer, a function or a tensor that source cannot be written for.
    """
    try:
        graph = fx.symbolic_trace(network).graph
    except Exception as error:
        cause = " ".join(str(error).split()).partition(". ")[0]
        raise HarnessError(f"the network cannot be written as source ({cause}); {_INSTEAD}") from None
    called = dict.fromkeys(str(node.target) for node in graph.nodes if node.op == "call_module")
    layers = [f"self.{_flat(path)} = {_layer(path, network.get_submodule(path))}" for path in called]
    inputs = [node.name for node in graph.nodes if node.op == "placeholder"]
    steps = [line for node in graph.nodes if (line := _step(node))]
    lines = [f'"""{title}"""', "", "import torch", "from torch import nn", "", "", "class Network(nn.Module):"]
    lines += ["    def __init__(self):", "        super().__init__()", *_indented(layers)]
    lines += ["", f"    def forward(self, {', '.join(inputs)}):", *_indented(steps), ""]
    return "\n".join(lines)


def network_of_source(source: str, like: nn.Module) -> nn.Module:
    """The network that a source of :func:`source_of` defines, with the weights of the network that it was written for.

    It runs the source.
    """
    space: dict[str, Any] = {"__name__": "network"}
    exec(compile(source, "<source>", "exec"), space)  # noqa: S102
    made: nn.Module = space["Network"]()
    named = {_flat(path): layer for path, layer in like.named_modules(remove_duplicate=False)}
    for name, layer in made.named_children():
        layer.load_state_dict(named[name].state_dict())
    return made


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def _flat(path: str) -> str:
    """The attribute of a layer.

    >>> _flat("blocks.0.conv")
    'blocks_0_conv'
    """
    return path.replace(".", "_")


def _layer(path: str, layer: nn.Module) -> str:
    """The expression that makes a layer, from the attributes that have the names of its arguments."""
    kind = type(layer)
    if getattr(nn, kind.__name__, None) is not kind:
        raise HarnessError(f"the layer '{path}' is a {kind.__name__}, which is none of torch.nn's; {_INSTEAD}")
    written = []
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        is_argument = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if name == "self" or name in _ELSEWHERE or not is_argument:
            continue
        missing = name not in vars(layer) and name not in layer._parameters
        value = None if missing else getattr(layer, name)
        if name == "bias":
            value = value is not None
        if missing or not isinstance(value, int | float | str | tuple | type(None)):
            raise HarnessError(f"the setting '{name}' of the layer '{path}' ({kind.__name__}) is not known; {_INSTEAD}")
        required = parameter.default is inspect.Parameter.empty
        if isinstance(value, tuple) and len(set(value)) == 1 and isinstance(parameter.default, int | type):
            # The same in each direction, which one number says.
            value = value[0]
        if required or value != parameter.default:
            written.append(repr(value) if required else f"{name}={value!r}")
    return f"nn.{kind.__name__}({', '.join(written)})"


def _step(node: fx.Node) -> str:
    """The line of one call; empty for an input."""
    arguments = [_value(each) for each in node.args]
    named = [f"{name}={_value(value)}" for name, value in node.kwargs.items()]
    match node.op:
        case "placeholder":
            return ""
        case "output":
            return f"return {arguments[0]}"
        case "call_module":
            called = f"self.{_flat(str(node.target))}"
        case "call_method":
            called, arguments = f"{arguments[0]}.{node.target}", arguments[1:]
        case "call_function" if node.target in _INFIX and len(arguments) == 2 and not named:
            return f"{node.name} = {arguments[0]} {_INFIX[node.target]} {arguments[1]}"
        case "call_function":
            called = _function(node.target)
        case _:
            raise HarnessError(f"the network reads the tensor '{node.target}' outside its layers; {_INSTEAD}")
    return f"{node.name} = {called}({', '.join([*arguments, *named])})"


def _function(target: object) -> str:
    name = getattr(target, "__name__", "")
    for place, owner in (("torch", torch), ("nn.functional", functional)):
        if getattr(owner, name, None) is target:
            return f"{place}.{name}"
    raise HarnessError(f"the network calls {name or target}, which source cannot be written for; {_INSTEAD}")


def _value(value: object) -> str:
    """An argument of a call as source."""
    if isinstance(value, fx.Node):
        return value.name
    if isinstance(value, tuple | list):
        inner = ", ".join(map(_value, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
    if isinstance(value, int | float | str | bool | type(None)):
        return repr(value)
    raise HarnessError(f"the network passes a {type(value).__name__}, which source cannot be written for; {_INSTEAD}")
