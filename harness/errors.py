"""The errors that a user can mend."""

from __future__ import annotations

__all__ = [
    "DataError",
    "HarnessError",
    "InstructionsError",
    "NotApplicableError",
    "StoreError",
    "UnguardedScriptError",
    "UnknownNameError",
]


class HarnessError(Exception):
    """Bad input or a situation that the user can mend.

    The message is one line that names the cause, the place and the remedy. The command line prints it and exits with
    code 2; everything computed before is kept.
    """


class UnguardedScriptError(HarnessError, SystemExit):
    """A script asks for worker processes outside ``if __name__ == "__main__":``, so that each of them runs it again.

    Uncaught, it ends the script with its message alone: a traceback would add nothing to it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message


class UnknownNameError(HarnessError):
    """A benchmark, proxy, dataset or set that is not registered; the message suggests near names."""


class InstructionsError(HarnessError):
    """What the user has to do by hand, in several lines."""


class DataError(HarnessError):
    """A file that is missing, truncated, of another kind, or lacks what it should hold."""


class StoreError(HarnessError):
    """A store that belongs to another plan, another version, or cannot be written."""


class NotApplicableError(Exception):
    """The proxy is not defined for this network; the score is skipped with this reason."""
