"""The networks of NAS-Bench-101, built by ``nasbench_pytorch``; its placeholder parameters are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness_benchmarks.nasbench101.cell import Cell


@dataclass(frozen=True)
class _Specification:
    """A cell for ``nasbench_pytorch``, whose own class would put the matrix on torch's default device."""

    matrix: NDArray[np.int8]
    ops: list[str]


class CellNetwork(nn.Module):
    """A stem, three stages of three equal cells with halved resolution between them, and a linear classifier.

    128, 256 and 512 channels (Ying et al., ICML 2019, section 2.2). Weights are initialised as ``nasbench_pytorch``
    does by default: convolutions normal with variance 2 / (kernel area · output channels), the classifier normal with
    deviation 0.01, batch norms one and zero. Every vertex of the cell is on a path from input to output.
    """

    def __init__(self, cell: Cell, classes: int) -> None:
        from nasbench_pytorch.model import Network

        super().__init__()
        built = Network(_Specification(cell.matrix(), cell.operation_names()), num_labels=classes)
        for layer in built.layers:
            if hasattr(layer, "vertex_op"):
                _take_out_placeholders(layer)
        self.layers: nn.ModuleList = built.layers
        self.classifier: nn.Linear = built.classifier

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling: (batch, 3, 32, 32) to (batch, 512, 8, 8)."""
        features = images
        for layer in self.layers:
            features = layer(features)
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The features after the stem and after each cell, each a function of the one before.

        Pooling between stages belongs to the following cell.
        """
        stem, *layers = self.layers
        features = [stem(images)]
        value = features[0]
        for layer in layers:
            value = layer(value)
            if hasattr(layer, "vertex_op"):
                features.append(value)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(self.forward_features(images).mean(dim=(2, 3)))
        return logits


def _take_out_placeholders(cell: Any) -> None:
    """Replace modules that have parameters but are not operations.

    ``nasbench_pytorch`` puts a scalar parameter wherever a vertex has no operation or no projection, and an empty one
    to find the device. The benchmark's networks do not have these parameters, and they have no effect.
    """
    from nasbench_pytorch.model.model import Placeholder

    for modules in (cell.vertex_op, cell.input_op):
        for place, module in enumerate(modules):
            if isinstance(module, Placeholder):
                modules[place] = nn.Identity()
    cell.last_inop = cell.input_op[-1]
    device = cell.dev_param.device
    del cell.dev_param
    cell.register_buffer("dev_param", torch.empty(0, device=device), persistent=False)
