"""The layers of the decoders: their widths, and which of them double the resolution.

As many layers double the resolution as the stem and the modules of the backbone halve it. So the output is as large as
the input for every image size that the total stride divides. The official code uses ⌊log₂(256 / w)⌋ instead, where w is
the width of the feature map of an image of 224 pixels; for two to six halvings this is the same number.
"""

from __future__ import annotations

INNER_WIDTHS = (1024, 512, 256, 128, 64, 32)
"""The channels of the segmentation decoder's layers; each layer has half as many as the one before."""

GENERATOR_LAYERS = (
    (1024, 0),
    (1024, 0),
    (512, 6),
    (512, 0),
    (256, 5),
    (128, 0),
    (64, 4),
    (64, 0),
    (32, 3),
    (32, 0),
    (16, 2),
    (32, 0),
    (16, 1),
)
"""The generative decoder's layers: the channels, and the minimum number of doublings for which the layer doubles the
resolution (0: never)."""


def segmentation_layers(doublings: int) -> list[tuple[int, bool]]:
    """Channels of each layer of the segmentation decoder, and whether it doubles the resolution.

    Six layers halve the channels down to 32, and one more keeps them; the last ``doublings`` of all seven double.

    >>> segmentation_layers(2)[-3:]
    [(64, False), (32, True), (32, True)]
    """
    widths = [*INNER_WIDTHS, INNER_WIDTHS[-1]]
    return [(width, place >= len(widths) - doublings) for place, width in enumerate(widths)]


def generator_layers(doublings: int) -> list[tuple[int, bool]]:
    """Channels of each layer of the generative decoder, and whether it doubles the resolution.

    >>> sum(doubles for _, doubles in generator_layers(5))
    5
    """
    return [(width, 0 < least <= doublings) for width, least in GENERATOR_LAYERS]
