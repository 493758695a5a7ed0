"""The contract of tasks and of the networks that ``build`` returns."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from harness.contracts.benchmark import Benchmark
from harness.errors import UnknownNameError
from harness.tasks import Task
from harness.testing.benchmark.subject import Contract, refusal

_NO_ARCHITECTURE = "no such architecture"


class NetworksContract(Contract):
    """The contract of a benchmark's tasks and networks."""

    def test_an_unknown_data_set_is_refused_with_a_near_miss(self, subject: Benchmark) -> None:
        """Every method with a data set refuses it."""
        known = subject.datasets[0]
        unknown, architecture = f"{known}x", self.chosen(subject)[0]
        calls: dict[str, Callable[[], object]] = {
            "task": lambda: subject.task(unknown),
            "build": lambda: subject.build(architecture, unknown),
            "ground_truth": lambda: subject.ground_truth(unknown),
            "images": lambda: subject.images(unknown),
        }
        for method, call in calls.items():
            promise = f"{method}() must refuse the unknown data set '{unknown}' (check_dataset does)"
            message = refusal(call, promise, UnknownNameError)
            assert f"'{known}'" in message, f"{method}() must suggest the data set '{known}'; it says: {message}"

    def test_every_data_set_has_its_task(self, subject: Benchmark) -> None:
        """A task has the data set, the shape of an image and the number of classes."""
        for dataset in subject.datasets:
            task = subject.task(dataset)
            assert task.dataset == dataset, f"task('{dataset}') is the task of '{task.dataset}'"
            assert all(isinstance(size, int) and size > 0 for size in task.image_shape), (
                f"the image shape of '{dataset}' must be positive integers; it is {task.image_shape}"
            )
            assert isinstance(task.classes, int) and task.classes > 0, (
                f"the number of classes of '{dataset}' must be a positive integer; it is {task.classes}"
            )

    def test_the_loss_takes_what_networks_give_and_random_targets(self, subject: Benchmark) -> None:
        """Gradient proxies differentiate the loss of the task's objective."""
        for network, architecture, dataset in self.networks(subject):
            task = self.task_of(subject, dataset)
            images = random_images(task, self.batch)
            drawn = task.objective.random_targets(images.numpy(), task.classes, np.random.default_rng(0))
            loss = task.objective.loss(network(images), torch.from_numpy(drawn))
            assert loss.shape == (), (
                f"the loss of '{dataset}' must be one number per batch; for '{architecture}' it has shape "
                f"{tuple(loss.shape)}"
            )

    def test_images_that_come_along_fit_the_task(self, subject: Benchmark) -> None:
        """``images`` returns the networks' inputs, or None if the user must provide them."""
        for dataset in subject.datasets:
            images, task = subject.images(dataset), subject.task(dataset)
            if images is not None:
                assert images.pixels.shape[1:] == task.image_shape, (
                    f"images('{dataset}') have shape {images.pixels.shape[1:]}, but the task has {task.image_shape}"
                )
                assert images.description, f"describe the images of '{dataset}' in one line"

    def test_networks_give_finite_outputs_of_the_task_s_shape(self, subject: Benchmark) -> None:
        """One logit per class and image, for classification."""
        for network, architecture, dataset in self.networks(subject):
            task = self.task_of(subject, dataset)
            with torch.no_grad():
                outputs = network(random_images(task, self.batch))
            expected = output_shape(task, self.batch)
            assert isinstance(outputs, Tensor) and tuple(outputs.shape) == expected, (
                f"the network of '{architecture}' for '{dataset}' must return outputs of shape {expected}, as its task "
                f"declares; it returns {tuple(getattr(outputs, 'shape', ()))}"
            )
            assert outputs.isfinite().all(), f"the network of '{architecture}' returns outputs that are not finite"

    def test_networks_have_a_feature_map(self, subject: Benchmark) -> None:
        """Zen-Score and others are defined on ``forward_features``."""
        for network, architecture, dataset in self.networks(subject):
            forward_features = getattr(network, "forward_features", None)
            assert callable(forward_features), (
                f"the network of '{architecture}' must offer forward_features(images), the feature map before pooling"
            )
            with torch.no_grad():
                features = forward_features(random_images(self.task_of(subject, dataset), self.batch))
            assert isinstance(features, Tensor) and features.dim() == 4 and len(features) == self.batch, (
                f"forward_features of '{architecture}' must return (images, channels, height, width); it returns "
                f"{tuple(getattr(features, 'shape', ()))}"
            )
            assert features.isfinite().all(), f"the feature map of '{architecture}' is not finite"

    def test_networks_are_in_training_mode(self, subject: Benchmark) -> None:
        """Proxies are defined at the start of training."""
        for network, architecture, _ in self.networks(subject):
            asleep = [name or "the network" for name, module in network.named_modules() if not module.training]
            assert not asleep, f"build() must return '{architecture}' in training mode; {asleep[0]} is in eval mode"

    def test_networks_are_of_float32_and_all_of_them_learns(self, subject: Benchmark) -> None:
        """Scores are computed in float32, from gradients of every parameter."""
        for network, architecture, _ in self.networks(subject):
            for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
                assert tensor.dtype == torch.float32 or not tensor.is_floating_point(), (
                    f"'{name}' of '{architecture}' must be float32; it is {tensor.dtype}"
                )
            frozen = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
            assert not frozen, f"'{frozen[0]}' of '{architecture}' must have requires_grad=True"

    def test_a_seed_gives_the_same_network_again(self, subject: Benchmark) -> None:
        """Weights are drawn only from torch's global random state."""
        for network, architecture, dataset in self.networks(subject):
            again = _built(subject, architecture, dataset, seed=0)
            differing = _differing(network, again)
            assert differing is None, (
                f"build('{architecture}', '{dataset}') returns a different '{differing}' after the same "
                "torch.manual_seed; draw all weights from torch's global random state"
            )

    def test_another_seed_gives_other_weights(self, subject: Benchmark) -> None:
        """Repeated initialisations are different networks."""
        for network, architecture, dataset in self.networks(subject):
            if next(network.parameters(), None) is not None:
                assert _differing(network, _built(subject, architecture, dataset, seed=1)) is not None, (
                    f"build('{architecture}', '{dataset}') returns the same weights after torch.manual_seed(0) and "
                    "(1); initialise them in every call"
                )

    def test_networks_can_be_copied(self, subject: Benchmark) -> None:
        """A proxy that changes weights works on a deep copy."""
        for network, architecture, _ in self.networks(subject):
            try:
                duplicate = copy.deepcopy(network)
            except Exception as error:
                raise AssertionError(f"copy.deepcopy of the network of '{architecture}' failed: {error}") from error
            assert _differing(network, duplicate) is None, f"a deep copy of '{architecture}' has other weights"
            shared = {tensor.data_ptr() for tensor in network.parameters() if tensor.numel()}
            assert not any(tensor.data_ptr() in shared for tensor in duplicate.parameters() if tensor.numel()), (
                f"a deep copy of '{architecture}' shares weights with the original"
            )

    def test_an_unknown_architecture_is_refused(self, subject: Benchmark) -> None:
        """The message names it."""
        self.architectures_of(subject)
        promise = f"build() must refuse '{_NO_ARCHITECTURE}'"
        message = refusal(lambda: subject.build(_NO_ARCHITECTURE, subject.datasets[0]), promise)
        assert _NO_ARCHITECTURE in message, f"the message must name the unknown architecture; it says: {message}"

    def networks(self, subject: Benchmark) -> Iterator[tuple[nn.Module, str, str]]:
        """Each chosen network of each data set, initialised with seed 0, with its architecture and data set."""
        for dataset in subject.datasets:
            for architecture in self.chosen(subject):
                yield _built(subject, architecture, dataset, seed=0), architecture, dataset


def random_images(task: Task, count: int) -> Tensor:
    """Gaussian noise in the shape of the task's images, the same in every call."""
    return torch.randn(count, *task.image_shape, generator=torch.Generator().manual_seed(0))


def output_shape(task: Task, count: int) -> tuple[int, ...]:
    """The shape of a network's outputs for ``count`` images."""
    match task.objective.target:
        case "class" | "distribution" | "vector":
            return count, task.classes
        case "pixel_class" | "image" | "input":
            return count, task.classes, *task.image_shape[-2:]


def _built(subject: Benchmark, architecture: str, dataset: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return subject.build(architecture, dataset)


def _differing(one: nn.Module, other: nn.Module) -> str | None:
    """The first parameter or buffer in which two networks differ."""
    first, second = one.state_dict(), other.state_dict()
    if first.keys() != second.keys():
        return next(iter(first.keys() ^ second.keys()))
    return next((name for name, tensor in first.items() if not torch.equal(tensor, second[name])), None)
