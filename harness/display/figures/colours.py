"""Colours of coefficients, and of numbers written on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.display.figures.style import BLACK, BLUE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


def diverging() -> Colormap:
    """From vermillion through white to blue, distinguishable with every common colour vision."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("wrong to right", ["#8A3C00", VERMILLION, "white", BLUE, "#003F66"])


def ink_on(red: float, green: float, blue: float, opacity: float) -> str:
    """White or black, whichever has the higher contrast ratio (WCAG 2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    # Undefined coefficients have no colour and a white background.
    return "white" if opacity > 0 and 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else BLACK
