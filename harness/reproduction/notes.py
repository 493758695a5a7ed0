"""Footnotes: every sentence once, with a number or letter in the order of first mention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase


def first_mentions(sentences: Iterable[str]) -> dict[str, int]:
    """Each sentence with its number, from 1.

    >>> first_mentions(["few networks", "noise", "few networks"])
    {'few networks': 1, 'noise': 2}
    """
    return {sentence: number for number, sentence in enumerate(dict.fromkeys(filter(None, sentences)), start=1)}


def letter(number: int) -> str:
    """The number as letters, for a second kind of footnote.

    >>> letter(1), letter(26), letter(27)
    ('a', 'z', 'aa')
    """
    text = ""
    while number:
        number, place = divmod(number - 1, 26)
        text = ascii_lowercase[place] + text
    return text


def compact(numbers: Iterable[int]) -> str:
    """Footnote numbers after a value; three or more consecutive ones become a range.

    >>> compact([3, 1, 2, 7]), compact([1, 2]), compact([])
    ('1–3, 7', '1, 2', '')
    """
    rows: list[list[int]] = []
    for number in sorted(set(numbers)):
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join(_range(row) for row in rows)


def _range(row: Sequence[int]) -> str:
    return f"{row[0]}–{row[-1]}" if len(row) > 2 else ", ".join(map(str, row))
