"""The networks of both spaces for all seven tasks: a backbone and the task's head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness_benchmarks.transnas101.backbone import Backbone
from harness_benchmarks.transnas101.codes import parse_code
from harness_benchmarks.transnas101.decoder_layers import generator_layers, segmentation_layers
from harness_benchmarks.transnas101.decoders import Decoder
from harness_benchmarks.transnas101.skeleton import halvings, output_width
from harness_benchmarks.transnas101.tasks import TILES, head_of


class ClassifyingNetwork(nn.Module):
    """A backbone, global average pooling of its ``width`` channels, and a linear classifier."""

    def __init__(self, backbone: Backbone, width: int, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling."""
        features: Tensor = self.backbone(images)
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The backbone's features after the stem and after each cell."""
        return self.backbone.forward_blocks(images)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(self.pool(self.forward_features(images)).flatten(1))
        return logits


class JigsawNetwork(ClassifyingNetwork):
    """A backbone that all nine tiles share, and a classifier on its features of all tiles."""

    def forward_features(self, images: Tensor) -> Tensor:
        """The nine feature maps stacked along the channels; from tiles, (batch, 9, 3, height, width).

        The backbone is called once per place, so that batch norm computes its statistics from the tiles of one place,
        as in the benchmark's training.
        """
        return torch.cat([self.backbone(tiles) for tiles in images.unbind(dim=1)], dim=1)

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The backbone's features after the stem and after each cell, of the tiles of all places in one mini-batch."""
        return self.backbone.forward_blocks(images.flatten(0, 1))


class ImageToImageNetwork(nn.Module):
    """A backbone, and a decoder that computes an image of the size of the input from its feature map."""

    def __init__(self, backbone: Backbone, decoder: Decoder) -> None:
        super().__init__()
        self.backbone = backbone
        self.decoder = decoder

    def forward_features(self, images: Tensor) -> Tensor:
        """The input of the decoder's last convolution, with the height and width of the images."""
        return self.decoder.forward_features(self.backbone(images))

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The backbone's features after the stem and after each cell, without the decoder."""
        return self.backbone.forward_blocks(images)

    def forward(self, images: Tensor) -> Tensor:
        """From (batch, 3, height, width) to (batch, outputs, height, width); the total stride divides both sides."""
        return self.decoder.predict(self.forward_features(images))


def build_network(architecture: str, task: str, classes: int | None = None) -> nn.Module:
    """A newly initialised network in training mode, drawn from torch's global random state.

    It offers ``forward`` and ``forward_features``, which returns the input of the last layer, before pooling. The
    discriminator that the tasks autoencoder and normal also train is not included, and published sizes do not count its
    5,168,705 parameters.

    Args:
        architecture: the official code from either space; codes of the macro space end in ``-basic``.
        task: one of :data:`harness_benchmarks.transnas101.tasks.TASKS`.
        classes: the number of classes; by default that of the benchmark's training.

    Raises:
        HarnessError: if the architecture is not a code, or the task has no classes.
        UnknownNameError: if the task does not exist.
    """
    code, head = parse_code(architecture), head_of(task, classes)
    backbone, width, doublings = Backbone(code), output_width(code.modules), halvings(code.modules)
    match head.kind:
        case "classifier":
            return ClassifyingNetwork(backbone, width, head.outputs)
        case "jigsaw":
            return JigsawNetwork(backbone, TILES * width, head.outputs)
        case "segmentation":
            decoder = Decoder(width, segmentation_layers(doublings), head.outputs, nn.Identity())
        case "generator":
            decoder = Decoder(width, generator_layers(doublings), head.outputs, nn.Tanh())
    return ImageToImageNetwork(backbone, decoder)
