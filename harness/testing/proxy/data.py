"""The contract of a proxy's inputs: exactly those that it declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from harness.images import Batch
from harness.testing.proxy.networks import CLASSES
from harness.testing.proxy.subject import SKIPPED, ProxySubject, described

Change = Callable[[Batch], Batch]

OTHER_IMAGES: tuple[Change, ...] = (
    lambda batch: Batch(batch.images.flip(0) * 3 - 1, batch.labels),
    lambda batch: Batch(batch.images.flip(3).square(), batch.labels),
    lambda batch: Batch(batch.images[:1].expand_as(batch.images).clone(), batch.labels),
)
OTHER_LABELS: tuple[Change, ...] = (
    lambda batch: Batch(batch.images, (batch.labels + 1) % CLASSES),
    lambda batch: Batch(batch.images, batch.labels.roll(1)),
    lambda batch: Batch(batch.images, torch.zeros_like(batch.labels)),
)


class ProxyDataContract(ProxySubject):
    """The contract of a proxy's declared ``data`` and ``batches``, which tables show."""

    def test_it_does_not_look_at_labels_unless_it_declares_so(self) -> None:
        """Other labels give the same bits."""
        if self.proxy.data != "labels":
            changed = self._changed_by(OTHER_LABELS)
            assert changed is None, f"other labels change its score on {changed}: declare data='labels'"

    def test_it_does_not_look_at_images_unless_it_declares_so(self) -> None:
        """Other images give the same bits."""
        if self.proxy.data in ("nothing", "noise"):
            changed = self._changed_by(OTHER_IMAGES)
            assert changed is None, f"other images change its score on {changed}: declare data='images'"

    def test_it_does_not_draw_unless_it_declares_so(self) -> None:
        """For a proxy that uses only the network, another seed gives the same bits."""
        if self.proxy.data == "nothing":
            for network in self.applicable():
                assert self.outcome(self.probe(network, seed=99)) == self.alone(network), (
                    f"another seed changes its score on {described(network)}: declare data='noise'"
                )

    def test_it_looks_at_the_labels_that_it_declares(self) -> None:
        """A proxy that needs no labels is more useful and should declare it."""
        if self.proxy.data == "labels":
            assert self._changed_by(OTHER_LABELS) is not None, (
                "other labels never change its score: declare data='images', or less"
            )

    def test_it_looks_at_the_images_that_it_declares(self) -> None:
        """A proxy that needs no images is more useful and should declare it."""
        if self.proxy.data in ("images", "labels"):
            assert self._changed_by(OTHER_IMAGES) is not None, (
                "other images never change its score: declare data='noise' or 'nothing'"
            )

    def test_its_noise_comes_from_the_seed(self) -> None:
        """Repeated runs with other seeds then show the effect of the noise."""
        if self.proxy.data == "noise":
            networks = self.applicable()
            fixed = all(
                self.outcome(self.probe(network, seed=seed)) == self.alone(network)
                for network in networks
                for seed in (1, 99)
            )
            assert not fixed, "another seed never changes its score: draw from probe.seed, or declare data='nothing'"

    def test_it_needs_no_more_batches_than_it_declares(self) -> None:
        """A run provides at least as many as the proxies declare."""
        declared = max(1, self.proxy.batches)  # some need a batch only for its shape
        for network in self.applicable():
            batches = self.batches(network)
            enough, all_of_them = self.outcome(self.probe(network, batches[:declared])), self.alone(network)
            assert enough != SKIPPED, f"{declared} mini-batches are not enough on {described(network)}: declare more"
            assert enough == all_of_them, (
                f"with more than {declared} mini-batches it returns {all_of_them} on {described(network)}, "
                f"otherwise {enough}: declare all batches that it uses"
            )

    def test_it_looks_at_every_batch_that_it_declares(self) -> None:
        """Unused images cost time in every run."""
        if self.proxy.data in ("images", "labels"):
            for index in range(self.proxy.batches):
                assert self._changed_by(OTHER_IMAGES, only=index) is not None, (
                    f"other images in mini-batch {index + 1} of {self.proxy.batches} never change its score: "
                    "declare fewer"
                )

    def _changed_by(self, changes: Sequence[Change], only: int | None = None) -> str | None:
        """Description of the first cell whose score one of the changes alters."""
        for network in self.applicable():
            expected = self.alone(network)
            for change in changes:
                batches = [
                    change(batch) if only in (None, index) else batch
                    for index, batch in enumerate(self.batches(network))
                ]
                if self.outcome(self.probe(network, batches)) != expected:
                    return described(network)
        return None
