"""Sizes of files and of memory, as people read them."""

from __future__ import annotations

UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def readable_size(size: float) -> str:
    """Format a number of bytes with three digits and a unit.

    >>> readable_size(950), readable_size(268_435_456), readable_size(2.1e9), readable_size(999_999_999)
    ('950 bytes', '268 MB', '2.1 GB', '1 GB')
    """
    for unit, factor in UNITS:
        if size >= 0.9995 * factor:
            amount = size / factor
            return f"{amount:,.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"
    return f"{size:.0f} bytes"
