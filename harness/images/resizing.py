"""Resize images and their targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.tasks import Objective


def resize_images(pixels: NDArray[np.float32], resolution: int) -> NDArray[np.float32]:
    """Resize images (…, channels, height, width) to a resolution, bilinear with antialiasing."""
    import torch.nn.functional as F
    from torch import from_numpy

    flat = pixels.reshape(-1, *pixels.shape[-3:])
    resized: NDArray[np.float32] = np.empty((len(flat), pixels.shape[-3], resolution, resolution), dtype=np.float32)
    # One image at a time, since a copy of all images may be large.
    for source, target in zip(flat, resized, strict=True):
        image = from_numpy(np.ascontiguousarray(source))[None]
        target[:] = F.interpolate(image, (resolution, resolution), mode="bilinear", antialias=True)[0].numpy()
    return resized.reshape(*pixels.shape[:-2], resolution, resolution)


def resize_targets(targets: NDArray[Any], objective: Objective, resolution: int) -> NDArray[Any]:
    """Resize the targets of images: pixel classes by nearest neighbour, images bilinear."""
    match objective.target:
        case "pixel_class":
            rows, columns = (
                ((np.arange(resolution) + 0.5) * side / resolution).astype(np.int64) for side in targets.shape[-2:]
            )
            return targets[:, rows[:, None], columns]
        case "image" | "input":
            return resize_images(targets, resolution)
        case _:
            return targets
