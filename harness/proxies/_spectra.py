"""Spectra of features and of gradients, as AZ-NAS's scores and InTrain take them: rows are observations."""

from __future__ import annotations

import torch
from torch import Tensor

IN_LOGARITHM = 1e-8
IN_DENOMINATOR = 1e-6


def covariance(rows: Tensor) -> Tensor:
    """The covariance of the columns, (channels, channels), float64: population's, of rows (observations, channels)."""
    centred = rows - rows.mean(dim=0)
    # Only the product over all observations is expensive. float32 is precise enough for it, but not for the spectrum.
    return (centred.T @ centred).double() / len(rows)


def spectral_entropy(rows: Tensor) -> Tensor:
    r"""−Σ p log(p + 1e-8) over the eigenvalues of the covariance, divided by their sum; NaN for zeros."""
    spectrum = torch.linalg.eigvalsh(covariance(rows))
    share = spectrum / spectrum.sum()
    entropy: Tensor = -(share * (share + IN_LOGARITHM).clamp_min(IN_LOGARITHM).log()).sum()
    return entropy


def agreement_of_gradients(passed: Tensor, signs: Tensor) -> Tensor:
    """2 − σ − 1 / (σ + 1e-6), with σ the largest singular value of the mean of passed·signsᵀ over the rows, float64."""
    largest: Tensor = torch.linalg.matrix_norm((passed.T @ signs).double() / len(passed), ord=2)
    return 2 - largest - 1 / (largest + IN_DENOMINATOR)


def nan_to_worst(value: Tensor) -> Tensor:
    """−∞ for NaN, as in the official code of AZ-NAS."""
    return value.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
