"""The decoders that turn a feature map into an image: of classes, or of colours.

Each of their layers is a 3×3 convolution with bias, a batch norm and a leaky ReLU of slope 0.2; some are transposed and
double the resolution. A last convolution with neither predicts. They keep PyTorch's default initialisation: only the
backbone was given another.
"""

from __future__ import annotations

from torch import Tensor, nn


class DecoderLayer(nn.Sequential):
    """Convolution, batch norm, leaky ReLU; keeps height and width, or doubles them."""

    def __init__(self, inputs: int, outputs: int, doubles: bool) -> None:
        convolution = (
            nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
            if doubles
            else nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        super().__init__(convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2))


class Decoder(nn.Module):
    """Layers, each given by its channels and whether it doubles the resolution, then a convolution that predicts."""

    def __init__(self, inputs: int, layers: list[tuple[int, bool]], outputs: int, activation: nn.Module) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for width, doubles in layers:
            blocks.append(DecoderLayer(inputs, width, doubles))
            inputs = width
        self.layers = nn.Sequential(*blocks)
        self.last = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.activation = activation

    def forward_features(self, features: Tensor) -> Tensor:
        """The input of the last convolution, at the resolution of the prediction."""
        result: Tensor = self.layers(features)
        return result

    def predict(self, features: Tensor) -> Tensor:
        """The prediction from what :meth:`forward_features` gives; (batch, outputs, height, width)."""
        result: Tensor = self.activation(self.last(features))
        return result

    def forward(self, features: Tensor) -> Tensor:
        """The backbone's feature map to the prediction."""
        return self.predict(self.forward_features(features))
