"""The search spaces of Zen-NAS, in which ZiCo, AZ-NAS and VKDNW search too, with what was published of their networks.

``zen-resnet`` has the blocks of the official space ``XXBL``, ``zen-mobile`` those of ``IDW_fixfc``, and their networks
are as they are trained: with residual links, and in the mobile space with squeeze and excitation. ``zen-resnet-plain``
and ``zen-mobile-plain`` have neither, which is how the published searches score every candidate. The networks are this
project's own, from :mod:`harness_benchmarks.zen.grammar`.
"""

from __future__ import annotations

from harness_benchmarks.zen.benchmark import ZenSpace
from harness_benchmarks.zen.grammar import repaired
from harness_benchmarks.zen.mutation import MOBILE, RESNET
from harness_benchmarks.zen.published import (
    CIFAR10,
    CIFAR100,
    IMAGENET,
    INITIAL_CIFAR,
    INITIAL_FLOPS,
    INITIAL_LATENCY,
)

__all__ = ["ZenMobile", "ZenMobilePlain", "ZenResNet", "ZenResNetPlain", "repaired"]


class ZenResNet(ZenSpace):
    """Blocks of ResNet's two kinds of residual units, with residual links."""

    name = "zen-resnet"
    title = "Zen-NAS's ResNet-like space"
    datasets = (CIFAR10, CIFAR100, IMAGENET)
    truths = (("test", 1440), ("val", 480))
    subsets = {  # noqa: RUF012
        "all": "the published structures and the initial one of the CIFAR searches",
        "cifar": "the networks published for CIFAR-10 and CIFAR-100",
        "imagenet": "the networks published for ImageNet",
    }
    family, published_as, links, excites = RESNET, "zen-resnet", True, False

    def initial(self, dataset: str) -> str:
        """Where the official searches begin.

        For ImageNet, it is repaired: the official string is no network before its first mutation, which repairs it too.
        """
        self.check_dataset(dataset)
        return repaired(INITIAL_LATENCY) if dataset == IMAGENET else INITIAL_CIFAR

    def _initial_ones(self) -> tuple[str, ...]:
        return (INITIAL_CIFAR,)


class ZenResNetPlain(ZenResNet):
    """The same networks without residual links, as Zen-NAS's search scores them."""

    name = "zen-resnet-plain"
    title = "Zen-NAS's ResNet-like space as it is scored: no residual links"
    links = False


class ZenMobile(ZenSpace):
    """Blocks of two inverted bottlenecks, with residual links and squeeze and excitation."""

    name = "zen-mobile"
    title = "Zen-NAS's and ZiCo's MobileNet-like space"
    datasets = (IMAGENET,)
    truths = (("val", 480),)
    subsets = {  # noqa: RUF012
        "all": "the published structures and the initial one of the searches",
        "published": "the networks published for ImageNet",
    }
    family, published_as, links, excites = MOBILE, "zen-mobile", True, True

    def initial(self, dataset: str) -> str:
        """Where the official searches begin."""
        self.check_dataset(dataset)
        return INITIAL_FLOPS

    def _initial_ones(self) -> tuple[str, ...]:
        return (INITIAL_FLOPS,)


class ZenMobilePlain(ZenMobile):
    """The same networks without residual links and squeeze and excitation, as Zen-NAS and ZiCo score them."""

    name = "zen-mobile-plain"
    title = "Zen-NAS's and ZiCo's MobileNet-like space as it is scored: no residual links, no SE"
    links = excites = False
