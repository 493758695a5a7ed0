r"""The mean of a coefficient over several seeds, with a standard error that includes networks and seeds.

Both the networks and the seeds are samples: another draw of either gives another coefficient. With
:math:`\hat\theta_s` the coefficient of seed s on n networks, and :math:`\hat\theta_{s(i)}` the same without network i,
the jackknife's pseudo-values :math:`p_{si} = n\hat\theta_s - (n - 1)\hat\theta_{s(i)}` are analysed as a two-way
table of S seeds and n networks with random effects and one value per cell (Searle, Casella and McCulloch, "Variance
Components", 1992, section 4.3):

.. math:: \widehat{\mathrm{Var}}(\bar\theta) = \frac{MS_\text{seeds} + MS_\text{networks} - MS_\text{rest}}{nS}

The degrees of freedom are Satterthwaite's (Biometrics Bulletin 1946). If all seeds give the same scores, this is the
jackknife's standard error with n - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.statistics.jackknife import FEWEST_NETWORKS, Jackknife


@dataclass(frozen=True)
class MeanOverSeeds:
    """The mean of a coefficient over seeds.

    Attributes:
        value: the mean; NaN if the coefficient of any seed is undefined.
        standard_error: of the mean as an estimate for all networks and all seeds; NaN in the same cases.
        degrees_of_freedom: of the standard error.
        networks: the number of networks, the same for all seeds.
    """

    value: float
    standard_error: float
    degrees_of_freedom: float
    networks: int


def mean_over_seeds(coefficients: Sequence[Jackknife]) -> MeanOverSeeds:
    """The mean of the coefficients of two or more seeds on the same networks.

    Raises:
        ValueError: if there are fewer than two, or their numbers of networks differ.
    """
    seeds, networks = len(coefficients), len(coefficients[0].left_out)
    if seeds < 2 or any(len(each.left_out) != networks for each in coefficients):
        raise ValueError("a mean over seeds needs two or more coefficients of the same networks")
    values = np.array([each.value for each in coefficients])
    if networks < FEWEST_NETWORKS or np.isnan(values).any():
        return MeanOverSeeds(math.nan, math.nan, networks - 1, networks)
    # Of the pseudo-values only the deviations from each seed's mean are needed.
    deviations = np.array([(networks - 1) * (each.left_out.mean() - each.left_out) for each in coefficients])
    by_network = deviations.mean(axis=0)
    of_networks = seeds * (by_network**2).sum() / (networks - 1)
    of_rest = ((deviations - by_network) ** 2).sum() / ((seeds - 1) * (networks - 1))
    of_seeds = networks * values.var(ddof=1)
    # A component of variance is not negative; without it, its mean square is that of the rest.
    terms = [(of_seeds, seeds - 1), (of_networks, networks - 1), (-of_rest, (seeds - 1) * (networks - 1))]
    if of_seeds <= of_rest:
        terms = terms[1:2]
    elif of_networks <= of_rest:
        terms = terms[:1]
    total = sum(square for square, _ in terms)
    spread = sum(square**2 / freedom for square, freedom in terms)
    freedom = total**2 / spread if spread else networks - 1
    return MeanOverSeeds(float(values.mean()), float(np.sqrt(total / (networks * seeds))), float(freedom), networks)
