"""Proxies that leave something changed, with the words that their outcomes must hold, and some that look like it."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from harness.contracts.proxy import proxy
from harness.probe import Probe, quantity

KEPT = []
"""What offenders hold, so that nothing of it goes away by itself."""


class Zeroing(TorchFunctionMode):
    """Gives zeros for losses."""

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        return result * 0 if function is functional.cross_entropy else result


class Watching(TorchDispatchMode):
    """Sees every operation."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        return function(*arguments, **(keywords or {}))


def enter(context):
    """Enter a context for good."""
    KEPT.append(context)
    context.__enter__()


def zeros(module, inputs, output):
    return output * 0


def loss_in_evaluation(probe):
    functional.cross_entropy(probe.network.eval()(probe.batch().images), probe.batch().labels).backward()
    probe.network.train()


def without_gradients(change):
    def changed(probe):
        with torch.no_grad():
            change(probe)

    return changed


def raises_too(probe):
    torch.set_grad_enabled(False)
    raise LookupError("no such layer")


LEFT = {
    "gradients_off": ("torch's gradient mode (True -> False)", lambda probe: torch.set_grad_enabled(False)),
    "inference_mode": ("torch's inference mode (False -> True)", lambda probe: enter(torch.inference_mode())),
    "number_format": ("default dtype (torch.float32 -> torch.float64)",
                      lambda probe: torch.set_default_dtype(torch.float64)),
    "default_device": ("torch's default device (None -> meta)", lambda probe: torch.set_default_device("meta")),
    "threads": ("torch's number of threads (1 -> 2)", lambda probe: torch.set_num_threads(2)),
    "deterministic": ("deterministic algorithms (0 -> 2)", lambda probe: torch.set_deterministic_debug_mode("error")),
    "deterministic_with_warnings": ("deterministic algorithms (0 -> 1)",
                                    lambda probe: torch.set_deterministic_debug_mode("warn")),
    "without_mkldnn": ("torch's flag mkldnn_enabled (True -> False)",
                       lambda probe: torch.backends.mkldnn.set_flags(False)),
    "cudnn_benchmark": ("torch's flag cudnn_benchmark (False -> True)",
                        lambda probe: setattr(torch.backends.cudnn, "benchmark", True)),
    "matmul_precision": ("flag float32_matmul_precision (highest -> medium)",
                         lambda probe: torch.set_float32_matmul_precision("medium")),
    "attention_kernels": ("torch's flag flash_sdp (True -> False)",
                          lambda probe: torch.backends.cuda.enable_flash_sdp(False)),
    "autocast": ("autocast on cpu (False -> True)", lambda probe: enter(torch.autocast("cpu", dtype=torch.bfloat16))),
    "anomalies": ("anomaly detection (False -> True)", lambda probe: torch.autograd.set_detect_anomaly(True)),
    "saved_tensors": ("torch's hooks on saved tensors", lambda probe: enter(
        torch.autograd.graph.saved_tensors_hooks(torch.zeros_like, lambda tensor: tensor))),
    "function_mode": ("torch's function modes", lambda probe: enter(Zeroing())),
    "dispatch_mode": ("torch's dispatch modes", lambda probe: enter(Watching())),
    "global_hook": ("torch's hooks on every module",
                    lambda probe: nn.modules.module.register_module_forward_hook(zeros)),
    "denormals": ("the processor's treatment of denormal numbers", lambda probe: torch.set_flush_denormal(True)),
    "numpy_errors": ("NumPy's error handling", lambda probe: np.seterr(all="raise")),
    "recursion": ("Python's recursion limit", lambda probe: sys.setrecursionlimit(sys.getrecursionlimit() + 7)),
    "garbage": ("Python's garbage collector (True -> False)", lambda probe: gc.disable()),
    "images_written": ("the mini-batches", lambda probe: probe.batch().images.zero_()),
    "images_written_behind_torch": ("the mini-batches", lambda probe: probe.batch().images.numpy().fill(0)),
    "second_labels_written": ("the mini-batches", lambda probe: probe.batch(1).labels.data.zero_()),
    "images_replaced": ("the mini-batches", lambda probe: object.__setattr__(
        probe.batch(), "images", torch.zeros_like(probe.batch().images))),
    "images_with_gradient": ("the mini-batches", lambda probe: probe.batch().images.requires_grad_(True)),
    "batches_reversed": ("the mini-batches", lambda probe: probe.batches.reverse()),
    "weights_written": ("'0.weight' of the network", without_gradients(lambda probe: probe.weights[0].zero_())),
    "weights_written_through_data": ("'7.weight' of the network", lambda probe: probe.weights[-1].data.mul_(2)),
    "statistics_updated": ("'1.running_mean' of the network, '1.running_var' of the network",
                           lambda probe: probe.network(probe.batch().images)),
    "gradients_left": ("'0.weight' of the network", loss_in_evaluation),
    "evaluation_mode": ("the network", lambda probe: probe.network.eval()),
    "frozen_weight": ("'3.weight' of the network", lambda probe: probe.weights[1].requires_grad_(False)),
    "module_hook": ("'3' of the network", lambda probe: probe.network[3].register_forward_hook(zeros)),
    "forward_replaced": ("'2' of the network", lambda probe: setattr(probe.network[2], "forward", torch.zeros_like)),
    "epsilon": ("'1' of the network", lambda probe: setattr(probe.network[1], "eps", 1.0)),
    "network_replaced": ("the network (replaced by another one)", lambda probe: setattr(
        probe, "network", nn.Sequential(nn.Flatten(), nn.Linear(192, 4)))),
    "objective_replaced": ("the probe's attributes", lambda probe: setattr(
        probe, "objective", replace(probe.objective, loss=lambda outputs, labels: outputs.sum() * 0))),
    "shared_gradients_written": ("the shared quantity Probe.loss_gradients",
                                 lambda probe: probe.loss_gradients()[0].zero_()),
    "shared_gradients_written_through_data": ("the shared quantity Probe.loss_gradients",
                                              lambda probe: probe.loss_gradients()[0].data.abs_()),
    "shared_gradients_sorted": ("the shared quantity Probe.loss_gradients",
                                lambda probe: probe.loss_gradients().reverse()),
    "loss_replaced": ("the function torch.nn.functional.cross_entropy", lambda probe: setattr(
        functional, "cross_entropy", lambda outputs, labels, **_: outputs.sum() * 0)),
    "autograd_replaced": ("the function torch.autograd.grad", lambda probe: setattr(
        torch.autograd, "grad", lambda output, inputs, **_: [torch.zeros_like(tensor) for tensor in inputs])),
    "method_replaced": ("the class torch.Tensor (abs)", lambda probe: setattr(torch.Tensor, "abs", torch.zeros_like)),
    "layer_replaced": ("the function torch.nn.modules.conv.Conv2d.forward", lambda probe: setattr(
        nn.Conv2d, "forward", lambda layer, images: layer._conv_forward(images, layer.weight, layer.bias) * 0)),
    "inherited_method_hidden": ("the class torch.nn.modules.activation.ReLU (__call__)", lambda probe: setattr(
        nn.ReLU, "__call__", lambda module, images: images * 0)),
    "probe_replaced": ("the function harness.probe.Probe.loss_gradients", lambda probe: setattr(
        Probe, "loss_gradients", lambda probe, batch=0: [torch.zeros_like(weight) for weight in probe.weights])),
    "environment": ("the environment variable HARNESS_TEST_LEFT",
                    lambda probe: os.environ.update(HARNESS_TEST_LEFT="1")),
    "working_directory": ("the working directory", lambda probe: os.chdir("/")),
    "module_path": ("sys.path", lambda probe: sys.path.insert(0, "/nowhere")),
    "warning_filters": ("the warning filters", lambda probe: warnings.simplefilter("error")),
    "streams": ("sys.stdout or sys.stderr", lambda probe: setattr(sys, "stdout", KEPT)),
    "handlers": ("the handler of SIGUSR1", lambda probe: signal.signal(signal.SIGUSR1, lambda *_: None)),
    "blocked_signals": ("the signal mask",
                        lambda probe: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})),
    "raises_too": ("torch's gradient mode (True -> False)", raises_too),
}  # fmt: skip
"""What the outcome must say that is left, and what leaves it, by the name of the proxy."""


def drawing(probe):
    return random.random() + np.random.rand() + float(torch.rand(()))  # noqa: NPY002


shared_numbers = quantity("offenders:shared_numbers")(drawing)


def within(context, use):
    def used(probe):
        with context():
            return use(probe)

    return used


def in_double_precision(probe):
    torch.set_default_dtype(torch.float64)
    try:
        return probe.loss_gradients()[0].sum()
    finally:
        torch.set_default_dtype(torch.float32)


def on_a_copy(probe):
    network = probe.copy().eval()
    functional.cross_entropy(network(probe.batch().images), probe.batch().labels).backward()
    return sum(parameter.grad.abs().sum() for parameter in network.parameters())


HARMLESS = {
    "within_no_grad": within(
        torch.no_grad, lambda probe: probe.loss_gradients()[0].sum() + probe.input_jacobian().sum()
    ),
    "within_inference_mode": within(torch.inference_mode, lambda probe: probe.forward().outputs.sum()),
    "within_autocast": within(
        lambda: torch.autocast("cpu", dtype=torch.bfloat16), lambda probe: probe.forward().outputs.sum()
    ),
    "within_a_function_mode": within(Zeroing, lambda probe: probe.loss_gradients()[0].sum()),
    "in_double_precision": in_double_precision,
    "random_numbers": lambda probe: shared_numbers(probe) + drawing(probe),
    "on_a_copy": on_a_copy,
}
"""What changes things only for a while, or only for itself."""


def imitated(probe):
    raise KeyboardInterrupt


def base(probe):
    raise BaseException("of the worst kind")


def generator(probe):
    raise GeneratorExit


def deaf_to_ctrl_c(probe):
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        return 1


def interrupted(probe):
    signal.raise_signal(signal.SIGINT)


STOPPING = {function.__name__: function for function in (imitated, base, generator, deaf_to_ctrl_c, interrupted)}
"""What raises, or is hit by, something that ends other programs."""


def _as_a_proxy(name, do):
    def score(probe):
        found = do(probe)
        return float(found) if isinstance(found, torch.Tensor) and found.dim() == 0 else 1.0

    return proxy(name, better="higher", data="labels", cite="nobody2026")(score)


PROXIES = {
    name: _as_a_proxy(name, do)
    for name, do in {**{name: do for name, (_, do) in LEFT.items()}, **HARMLESS, **STOPPING}.items()
}
globals().update(PROXIES)
