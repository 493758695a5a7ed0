"""Errors that the user can fix."""

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
    """Invalid input or another error that the user can fix.

    The message is one line that says what is wrong, where, and how to fix it. The command line prints it and exits with
    code 2; everything computed so far is kept.
    """


class UnguardedScriptError(HarnessError, SystemExit):
    """A script starts a run outside ``if __name__ == "__main__":``, although other processes run it again.

    If uncaught, it ends the script with only its message, without a traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message


class UnknownNameError(HarnessError):
    """An unknown benchmark, proxy, data set or architecture set; the message suggests similar names."""


class InstructionsError(HarnessError):
    """Instructions for steps that the user must do manually, in several lines."""


class DataError(HarnessError):
    """A file that is missing, truncated, of the wrong kind, or incomplete."""


class StoreError(HarnessError):
    """A store that is damaged, has another setting or version, or cannot be written."""


class NotApplicableError(Exception):
    """The proxy is not defined for this network; its score is skipped with this reason."""
