"""Format numbers in the same way in every table and figure.

Coefficients have three decimals and no leading zero, as in statistics journals for quantities that cannot exceed one.
A difference always has its sign. A value that could not be computed is a dash, never a number.
"""

from __future__ import annotations

import math
import re

MISSING = "–"


def coefficient(value: float) -> str:
    """A correlation coefficient.

    >>> coefficient(0.5784), coefficient(-0.3674), coefficient(1.0), coefficient(-0.0001), coefficient(math.nan)
    ('.578', '-.367', '1.000', '.000', '–')
    """
    return printed(value, 3)


def printed(value: float, decimals: int) -> str:
    """A coefficient with as many decimals as in a paper.

    >>> printed(0.6, 2), printed(-0.623, 3), printed(-0.0, 2), printed(math.nan, 2)
    ('.60', '-.623', '.00', '–')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{value:z.{decimals}f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def signed(value: float) -> str:
    """A difference of two coefficients, with its sign.

    >>> signed(0.034), signed(-0.2), signed(0.0)
    ('+.034', '-.200', '.000')
    """
    text = coefficient(value)
    return f"+{text}" if text not in (MISSING, ".000") and value > 0 else text


def interval(low: float, high: float, *, sign: bool = False) -> str:
    """An interval in brackets.

    >>> interval(0.55, 0.61), interval(-0.01, 0.02, sign=True), interval(math.nan, math.nan)
    ('[.550, .610]', '[-.010, +.020]', '–')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    write = signed if sign else coefficient
    return f"[{write(low)}, {write(high)}]"


def estimate(value: float, low: float, high: float, *, sign: bool = False) -> str:
    """A value with its interval, if it has one.

    >>> estimate(0.578, 0.55, 0.61), estimate(math.nan, math.nan, math.nan)
    ('.578 [.550, .610]', '–')
    """
    write = signed if sign else coefficient
    bounds = interval(low, high, sign=sign)
    return write(value) if bounds == MISSING else f"{write(value)} {bounds}"


def p_value(value: float) -> str:
    """A p-value; below .001, only ``<.001``.

    >>> p_value(0.00002), p_value(0.0321), p_value(1.0), p_value(math.nan)
    ('<.001', '.032', '1.000', '–')
    """
    return "<.001" if math.isfinite(value) and value < 0.001 else coefficient(value)


def ratio(value: float) -> str:
    """A cost as a multiple of one forward and backward pass.

    >>> ratio(0.0004), ratio(1.234), ratio(34.56), ratio(math.nan)
    ('<0.01', '1.23', '34.6', '–')
    """
    if not math.isfinite(value):
        return MISSING
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def milliseconds(value: float) -> str:
    """A time with about three significant digits.

    >>> milliseconds(0.0123), milliseconds(4.56), milliseconds(1234.5), milliseconds(math.nan)
    ('0.01', '4.56', '1,234', '–')
    """
    if not math.isfinite(value):
        return MISSING
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def points(value: float) -> str:
    """An accuracy in percent, or a difference of two in percentage points.

    >>> points(93.764), points(math.nan)
    ('93.76', '–')
    """
    return f"{value:z.2f}" if math.isfinite(value) else MISSING


def count(value: float) -> str:
    """A whole number with thousands separators; a dash if it is missing.

    >>> count(15625), count(math.nan)
    ('15,625', '–')
    """
    return f"{int(value):,}" if math.isfinite(value) else MISSING


def typographic(text: str) -> str:
    """The text with a minus sign in place of each hyphen before a number.

    >>> typographic("EPE-NAS -.367 [-.400, -.330]")
    'EPE-NAS −.367 [−.400, −.330]'
    """
    return re.sub(r"(?<![\w.])-(?=[.\d])", "−", text)


def counted(number: float, noun: str, many: str = "") -> str:
    """A number with its noun, singular or plural.

    >>> counted(1, "network"), counted(1000, "network"), counted(0, "proxy", "proxies")
    ('1 network', '1,000 networks', '0 proxies')
    """
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"
