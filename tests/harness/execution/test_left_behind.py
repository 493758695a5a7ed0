"""A proxy that leaves something changed has failed, says what, and changes no score of any other proxy or network."""

import gc
import os
import random
import signal
import sys
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from harness._utils import surroundings
from harness._utils.process_settings import SETTINGS, Snapshot
from harness._utils.signals import stops_noted
from harness._utils.surroundings import Surroundings
from harness.contracts.benchmark import Benchmark
from harness.execution import left_behind
from harness.execution.unit import Job, compute_unit
from harness.images import Batch
from harness.images.batches import fingerprint, write_batches
from harness.probe import Probe, quantity
from harness.proxies import proxy
from harness.registry import proxies, reference
from harness.store.records import Unit
from harness.tasks import Task

OTHERS = ("grad_norm", "snip", "zico", "naswot", "jacob_cov")
OFFENDERS = {}
HARMLESS = []
KEPT = []
"""What offenders hold, so that nothing of it goes away by itself."""


class Small(Benchmark):
    """Two convolutions of the width that the architecture names, and one linear layer."""

    name = "small"
    title = "for tests"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)

    def architectures(self):
        return ["4", "6"]

    def task(self, dataset):
        return Task(dataset, (3, 8, 8), 4)

    def build(self, architecture, dataset):
        width = int(architecture)
        block = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU()]
        return nn.Sequential(*block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 4))

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError


def offender(*words):
    """Declare a proxy that leaves changed what the words say."""

    def declare(function):
        made = proxy(function.__name__, better="higher", data="labels", cite="nobody2026")(function)
        OFFENDERS[made.name] = words
        return made

    return declare


def harmless(function):
    """Declare a proxy that changes things only for a while, or only for itself."""
    made = proxy(function.__name__, better="higher", data="labels", cite="nobody2026")(function)
    HARMLESS.append(made.name)
    return made


@offender("torch's gradient mode (True -> False)")
def gradients_off(probe):
    torch.set_grad_enabled(False)
    return probe.loss_gradients()[0].sum()


@offender("torch's inference mode (False -> True)")
def inference_mode(probe):
    KEPT.append(torch.inference_mode())
    KEPT[-1].__enter__()
    return 1


@offender("torch's default number format (torch.float32 -> torch.float64)")
def number_format(probe):
    torch.set_default_dtype(torch.float64)
    return probe.forward().outputs.detach().sum()


@offender("torch's default device (None -> meta)")
def default_device(probe):
    torch.set_default_device("meta")
    return 1


@offender("torch's number of threads (1 -> 2)")
def threads(probe):
    torch.set_num_threads(2)
    return 1


@offender("torch's deterministic algorithms (0 -> 2)")
def deterministic(probe):
    torch.set_deterministic_debug_mode("error")
    return 1


@offender("torch's deterministic algorithms (0 -> 1)")
def deterministic_with_warnings(probe):
    torch.set_deterministic_debug_mode("warn")
    return 1


@offender("torch's flag mkldnn_enabled (True -> False)")
def without_mkldnn(probe):
    torch.backends.mkldnn.set_flags(False)
    return 1


@offender("torch's flag cudnn_benchmark (False -> True)")
def cudnn_benchmark(probe):
    torch.backends.cudnn.benchmark = True
    return 1


@offender("torch's flag float32_matmul_precision (highest -> medium)")
def matmul_precision(probe):
    torch.set_float32_matmul_precision("medium")
    return 1


@offender("torch's flag flash_sdp (True -> False)")
def attention_kernels(probe):
    torch.backends.cuda.enable_flash_sdp(False)
    return 1


@offender("autocast on cpu (False -> True)")
def autocast(probe):
    KEPT.append(torch.autocast("cpu", dtype=torch.bfloat16))
    KEPT[-1].__enter__()
    return probe.loss_gradients()[0].sum()


@offender("torch's anomaly detection (False -> True)")
def anomalies(probe):
    torch.autograd.set_detect_anomaly(True)
    return 1


@offender("torch's hooks on saved tensors")
def saved_tensors(probe):
    KEPT.append(torch.autograd.graph.saved_tensors_hooks(torch.zeros_like, lambda tensor: tensor))
    KEPT[-1].__enter__()
    return 1


class Zeroing(TorchFunctionMode):
    """Gives zeros for losses."""

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        return result * 0 if function is functional.cross_entropy else result


class Watching(TorchDispatchMode):
    """Sees every operation, and rounds the products."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        return function(*arguments, **(keywords or {}))


@offender("torch's function modes")
def function_mode(probe):
    Zeroing().__enter__()
    return 1


@offender("torch's dispatch modes")
def dispatch_mode(probe):
    Watching().__enter__()
    return 1


@offender("torch's hooks on every module")
def global_hook(probe):
    nn.modules.module.register_module_forward_hook(lambda module, inputs, output: output * 0)
    return 1


@offender("the processor's treatment of tiny numbers")
def denormals(probe):
    torch.set_flush_denormal(True)
    return 1


@offender("NumPy's treatment of errors")
def numpy_errors(probe):
    np.seterr(all="raise")
    return 1


@offender("Python's recursion limit")
def recursion(probe):
    sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    return 1


@offender("Python's garbage collector (True -> False)")
def garbage(probe):
    gc.disable()
    return 1


@offender("the mini-batches")
def images_written(probe):
    probe.batch().images.zero_()
    return 1


@offender("the mini-batches")
def images_written_behind_torch(probe):
    probe.batch().images.numpy()[:] = 0
    return 1


@offender("the mini-batches")
def second_labels_written_through_data(probe):
    probe.batch(1).labels.data.zero_()
    return 1


@offender("the mini-batches")
def images_replaced(probe):
    object.__setattr__(probe.batch(), "images", torch.zeros_like(probe.batch().images))
    return 1


@offender("the mini-batches")
def images_with_gradient(probe):
    probe.batch().images.requires_grad_(True)
    return 1


@offender("the mini-batches")
def batches_reversed(probe):
    probe.batches.reverse()
    return 1


@offender("'0.weight' of the network")
def weights_written(probe):
    with torch.no_grad():
        probe.weights[0].zero_()
    return 1


@offender("'7.weight' of the network")
def weights_written_through_data(probe):
    probe.weights[-1].data.mul_(2)
    return probe.loss_gradients()[0].sum()


@offender("'1.running_mean' of the network", "'1.running_var' of the network")
def statistics_updated(probe):
    return probe.network(probe.batch().images).sum()


@offender("'0.weight' of the network")
def gradients_left(probe):
    functional.cross_entropy(probe.network.eval()(probe.batch().images), probe.batch().labels).backward()
    probe.network.train()
    return 1


@offender("the network")
def evaluation_mode(probe):
    probe.network.eval()
    return 1


@offender("'3.weight' of the network")
def frozen_weight(probe):
    probe.weights[1].requires_grad_(False)
    return 1


@offender("'3' of the network")
def module_hook(probe):
    probe.network[3].register_forward_hook(lambda module, inputs, output: output * 0)
    return 1


@offender("'2' of the network")
def forward_replaced(probe):
    probe.network[2].forward = torch.zeros_like
    return 1


@offender("'1' of the network")
def epsilon(probe):
    probe.network[1].eps = 1.0
    return 1


@offender("the network, by another one,")
def network_replaced(probe):
    probe.network = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    return 1


@offender("the probe's attributes")
def objective_replaced(probe):
    probe.objective = replace(probe.objective, loss=lambda outputs, labels: outputs.sum() * 0)
    return 1


@offender("the shared quantity Probe.loss_gradients")
def shared_gradients_written(probe):
    probe.loss_gradients()[0].zero_()
    return 1


@offender("the shared quantity Probe.loss_gradients")
def shared_gradients_written_through_data(probe):
    return sum(gradient.data.abs_().sum() for gradient in probe.loss_gradients())


@offender("the shared quantity Probe.loss_gradients")
def shared_gradients_sorted(probe):
    probe.loss_gradients().reverse()
    return 1


@offender("the function torch.nn.functional.cross_entropy")
def loss_replaced(probe):
    functional.cross_entropy = lambda outputs, labels, **_: outputs.sum() * 0
    return probe.loss_gradients()[0].sum()


@offender("the function torch.autograd.grad")
def autograd_replaced(probe):
    torch.autograd.grad = lambda output, inputs, **_: [torch.zeros_like(tensor) for tensor in inputs]
    return 1


@offender("the class torch.Tensor (abs)")
def method_replaced(probe):
    torch.Tensor.abs = torch.zeros_like
    return 1


@offender("the function torch.nn.modules.conv.Conv2d.forward")
def layer_replaced(probe):
    original = nn.Conv2d.forward
    nn.Conv2d.forward = lambda layer, images: original(layer, images) * 0
    return 1


@offender("the class torch.nn.modules.activation.ReLU (__call__)")
def inherited_method_hidden(probe):
    nn.ReLU.__call__ = lambda module, images: images * 0
    return 1


@offender("the function harness.probe.Probe.loss_gradients")
def probe_replaced(probe):
    Probe.loss_gradients = lambda probe, batch=0: [torch.zeros_like(weight) for weight in probe.weights]
    return 1


@offender("the environment variable HARNESS_TEST_LEFT")
def environment(probe):
    os.environ["HARNESS_TEST_LEFT"] = "1"
    return 1


@offender("the working directory")
def working_directory(probe):
    os.chdir("/")
    return 1


@offender("sys.path")
def module_path(probe):
    sys.path.insert(0, "/nowhere")
    return 1


@offender("the warning filters")
def warning_filters(probe):
    warnings.simplefilter("error")
    return 1


@offender("sys.stdout or sys.stderr")
def streams(probe):
    sys.stdout = KEPT
    return 1


@offender(f"the handler of {signal.SIGUSR1.name}")
def handlers(probe):
    signal.signal(signal.SIGUSR1, lambda *_: None)
    return 1


@offender("the signals that are blocked")
def blocked_signals(probe):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    return 1


@offender("torch's gradient mode (True -> False)")
def raises_too(probe):
    torch.set_grad_enabled(False)
    raise LookupError("no such layer")


@quantity
def drawn(probe):
    return random.random() + np.random.rand() + float(torch.rand(()))  # noqa: NPY002


@harmless
def within_no_grad(probe):
    with torch.no_grad():
        return probe.loss_gradients()[0].sum() + probe.input_jacobian().sum()


@harmless
def within_autocast_and_inference_mode(probe):
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        return probe.forward().outputs.sum()


@harmless
def within_a_function_mode(probe):
    with Zeroing():
        return probe.loss_gradients()[0].sum()


@harmless
def within_double_precision(probe):
    torch.set_default_dtype(torch.float64)
    try:
        return probe.loss_gradients()[0].sum()
    finally:
        torch.set_default_dtype(torch.float32)


@harmless
def random_numbers(probe):
    return drawn(probe) + random.random() + np.random.rand() + torch.rand(())  # noqa: NPY002


@harmless
def on_a_copy(probe):
    network = probe.copy().eval()
    functional.cross_entropy(network(probe.batch().images), probe.batch().labels).backward()
    return sum(parameter.grad.abs().sum() for parameter in network.parameters())


@proxy("imitated", better="higher", data="nothing", cite="nobody2026")
def imitated(probe):
    """Raises what looks like Ctrl-C."""
    raise KeyboardInterrupt


@proxy("base", better="higher", data="nothing", cite="nobody2026")
def base(probe):
    """Raises what no ordinary clause catches."""
    raise BaseException("of the worst kind")


@proxy("generator", better="higher", data="nothing", cite="nobody2026")
def generator(probe):
    """Ends a generator that there is not."""
    raise GeneratorExit


@proxy("deaf_to_ctrl_c", better="higher", data="nothing", cite="nobody2026")
def deaf_to_ctrl_c(probe):
    """Is interrupted, and goes on."""
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        return 1


@proxy("interrupted", better="higher", data="nothing", cite="nobody2026")
def interrupted(probe):
    """Is interrupted."""
    signal.raise_signal(signal.SIGINT)


ALIKE = ("imitated", "base", "generator", "deaf_to_ctrl_c", "interrupted")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    generator = torch.Generator().manual_seed(0)
    batches = [
        Batch(torch.randn(8, 3, 8, 8, generator=generator), torch.randint(4, (8,), generator=generator))
        for _ in range(2)
    ]
    path = tmp_path_factory.mktemp("run") / "batches.npz"
    write_batches(path, batches)
    own = [globals()[name] for name in (*OFFENDERS, *HARMLESS, *ALIKE)]
    return Job(
        benchmark=reference(Small),
        dataset="dots",
        seed=0,
        proxies=tuple(map(reference, (*(proxies()[name] for name in OTHERS), *own))),
        batches=str(path),
        fingerprint=fingerprint(batches),
        device="cpu",
    )


def outcomes(job, names, architecture="4"):
    result = compute_unit(job, Unit(architecture, tuple(names)))
    return {score.proxy: (score.status, score.value, score.error) for score in result.scores}


@pytest.fixture(scope="module")
def undisturbed(job):
    found = outcomes(job, OTHERS), outcomes(job, OTHERS, "6")
    assert {status for unit in found for status, *_ in unit.values()} == {"ok"}
    return found


@pytest.mark.parametrize("first", [0, 2], ids=["as the first", "among others"])
@pytest.mark.parametrize("name", OFFENDERS)
def test_what_is_left_is_named_and_disturbs_nobody(job, undisturbed, name, first):
    process = Snapshot(SETTINGS), Surroundings()
    found = outcomes(job, [*OTHERS[:first], name, *OTHERS[first:]])
    status, value, error = found.pop(name)
    assert (status, value) == ("failed", None)
    assert f"it left {' and '.join(OFFENDERS[name])}" in error.replace(", ", " and ", 1) or all(
        word in error for word in OFFENDERS[name]
    )
    assert error.endswith("changed; a proxy must leave everything as it found it") and "\n" not in error
    assert found == undisturbed[0]
    assert outcomes(job, OTHERS, "6") == undisturbed[1]
    assert [*process[0].put_back(), *process[1].put_back()] == []


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_changed_for_a_while_disturbs_nobody_either(job, undisturbed, name):
    found = outcomes(job, [name, *OTHERS])
    assert found.pop(name)[0] == "ok"
    assert found == undisturbed[0]


def test_numbers_drawn_from_any_global_state_are_the_same_again(job):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = outcomes(job, ["random_numbers"])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002
    random.random()
    np.random.rand()  # noqa: NPY002
    assert outcomes(job, ["snip", "random_numbers"])["random_numbers"] == first["random_numbers"]


def test_an_error_of_its_own_stands_before_what_it_left(job):
    error = outcomes(job, ["raises_too"])["raises_too"][2]
    assert error.startswith("LookupError: no such layer (test_left_behind.py:")
    assert "; it left torch's gradient mode" in error


def test_costs_are_told_once_although_passes_are_made_again(job):
    alone = compute_unit(job, Unit("4", OTHERS)).forward_backward_seconds
    beside = compute_unit(job, Unit("4", ("grad_norm", "weights_written", *OTHERS[1:]))).forward_backward_seconds
    assert 0 < beside < 20 * alone


def test_the_projects_own_proxies_leave_nothing_when_they_are_compared_as_closely(job, undisturbed, monkeypatch):
    for module in (left_behind, sys.modules[compute_unit.__module__]):
        monkeypatch.setattr(module, "is_own", lambda proxy: False)
    assert outcomes(job, OTHERS) == undisturbed[0]


def test_of_the_projects_own_a_glance_still_sees_what_matters(job, undisturbed, monkeypatch):
    for module in (left_behind, sys.modules[compute_unit.__module__]):
        monkeypatch.setattr(module, "is_own", lambda proxy: True)
    for name in ("gradients_off", "number_format", "images_written", "weights_written", "statistics_updated"):
        found = outcomes(job, [name, *OTHERS])
        assert found.pop(name)[0] == "failed", name
        assert found == undisturbed[0]


def test_a_library_that_is_imported_for_the_first_time_may_add_to_the_surroundings(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (tmp_path / "library_of_the_test.py").write_text(
        "import os, warnings\nos.environ['LIBRARY_OF_THE_TEST'] = '1'\n"
        "warnings.filterwarnings('always', module='library_of_the_test')\n"
    )
    with warnings.catch_warnings():
        before = Surroundings()
        sys.path.append(str(tmp_path))
        __import__("library_of_the_test")
        assert before.put_back() == []
        assert os.environ["LIBRARY_OF_THE_TEST"] == "1"
        again = Surroundings()
        sys.path.append(str(tmp_path))
        __import__("library_of_the_test")
        assert again.put_back() == []
    del sys.modules["library_of_the_test"]


def test_what_torch_replaces_itself_is_no_change(monkeypatch):
    """Its compiler does so when it is first used, which may be in a proxy."""
    before = Surroundings()
    code = compile("def manual_seed(seed): pass", surroundings._COMPILER[0] + "/eval_frame.py", "exec")
    scope = {}
    exec(code, scope)
    monkeypatch.setattr(torch, "manual_seed", scope["manual_seed"])
    monkeypatch.setattr(nn.Module, "_mark_of_the_test", True, raising=False)
    assert before.put_back() == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("imitated", "KeyboardInterrupt (test_left_behind.py:"),
        ("base", "BaseException: of the worst kind"),
        ("generator", "GeneratorExit (test_left_behind.py:"),
    ],
)
def test_whatever_it_raises_is_its_outcome(job, undisturbed, name, says):
    found = outcomes(job, [name, *OTHERS])
    status, _, error = found.pop(name)
    assert status == "failed" and error.startswith(says)
    assert found == undisturbed[0]


@pytest.mark.parametrize("name", ["interrupted", "deaf_to_ctrl_c"])
def test_a_real_ctrl_c_is_none(job, name):
    with pytest.raises(KeyboardInterrupt):
        outcomes(job, [name, *OTHERS])


def test_in_a_thread_no_signal_is_looked_for():
    seen = []

    def work():
        with stops_noted() as stops:
            seen.append(stops)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[]]


def test_every_setting_can_be_read_and_put_back():
    for setting in SETTINGS:
        value = setting.read()
        setting.put_back(value)
        assert setting.read() == value, setting.words
