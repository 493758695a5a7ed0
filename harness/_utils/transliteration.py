"""Text for terminals and files that are not UTF-8: replace characters that their encoding lacks."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from io import TextIOWrapper

ERRORS = "harness.transliterate"
"""The name of the error handler: ``stream.reconfigure(errors=ERRORS)``."""

SYMBOLS = {
    "τ": "tau", "ρ": "rho", "Δ": "d", "Σ": "sum", "σ": "sigma", "γ": "gamma", "∂": "d", "α": "alpha", "β": "beta",
    "Γ": "Gamma", "θ": "theta", "λ": "lambda", "κ": "kappa", "ε": "eps", "π": "pi", "δ": "delta", "μ": "mu", "µ": "u",
    "Λ": "L", "Ψ": "psi",
    "×": "x", "÷": "/", "·": "*", "∗": "*", "±": "+-", "−": "-", "–": "-", "—": "-", "≤": "<=", "≥": ">=", "≠": "!=",
    "≈": "~", "∞": "inf", "√": "sqrt", "⊕": "xor", "½": "1/2", "→": "->", "←": "<-", "↑": "^", "↓": "v", "⌈": "ceil(",
    "⌉": ")", "⌊": "floor(", "⌋": ")", "▲": "^", "▼": "v", "○": "o", "◆": "*", "✓": "+", "✗": "x", "…": "...",
    "‘": "'", "’": "'", "“": '"', "”": '"', "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "²": "^2", "³": "^3", "¹": "^1", "⁰": "^0", "⁴": "^4", "⁶": "^6", "⁹": "^9", "ᵀ": "^T", "ⁱ": "^i", "₂": "_2",
    "─": "-", "━": "-", "│": "|", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
"""ASCII replacements of the symbols that the harness prints."""


def is_unicode(encoding: str | None) -> bool:
    """Whether the encoding has every character.

    >>> is_unicode("UTF-8"), is_unicode("cp1252"), is_unicode(None)
    (True, False, True)
    """
    return encoding is None or encoding.lower().replace("_", "-").startswith("utf")


def transliterated(text: str, encoding: str | None) -> str:
    r"""Convert text to characters that the encoding has.

    Symbols are replaced even if the encoding has them, since Japanese code pages display them two columns wide.

    >>> transliterated("τ ≥ .5 ± .1, Ruýžička", "cp1252"), transliterated("Ruýžička 木", "ascii")
    ('tau >= .5 +- .1, Ruýžicka', 'Ruyzicka \\u6728')
    """
    if is_unicode(encoding) or text.isascii():
        return text
    assert encoding is not None
    return "".join(character if character.isascii() else _known(character, encoding) for character in text)


def tolerate(*streams: object) -> None:
    """Make the streams of this process replace characters that their encoding lacks, instead of failing."""
    for stream in streams or (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _known(character: str, encoding: str) -> str:
    """Convert one character to characters that the encoding has."""
    if character in SYMBOLS:
        return SYMBOLS[character]
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
        return plain or character.encode("ascii", "backslashreplace").decode("ascii")
    return character


def _handle(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_known(character, "ascii") for character in error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _handle)
