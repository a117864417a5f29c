"""Compute what independent implementations estimate: `python -m benchmarks.estimate_references`.

It writes `tests/estimate_references.json`, which `tests/test_estimates.py` compares with our estimates. The packages
ppi-python (0.2.3) and statsmodels (0.15.0) are needed here, and nowhere else; install them in an environment of their
own. What the package dsl for R computes follows from its published moment equations: the linear model is least squares
on the design-adjusted outcome, with a sandwich variance; the logistic model is solved here by a general root finder,
with a numerical derivative.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import approx_fprime, root

from tests.support.coded_example import LABELS, coded_example

OUT = Path(__file__).parent.parent / "tests" / "estimate_references.json"
Floats = NDArray[np.float64]


def main() -> None:
    """Write the figures."""
    ppi: Any = importlib.import_module("ppi_py")
    models: Any = importlib.import_module("statsmodels.api")
    labels, article, outlet, year = coded_example()
    y, f = (np.eye(LABELS)[place] for place in (labels.stance, labels.held))
    drawn = labels.weight > 0
    low, high = ppi.ppi_mean_ci(y[drawn], f[drawn], f[~drawn], alpha=0.05)
    found: dict[str, Any] = {
        "ppi_mean": ppi.ppi_mean_pointestimate(y[drawn], f[drawn], f[~drawn]).tolist(),
        "ppi_mean_low": low.tolist(),
        "ppi_mean_high": high.tolist(),
        "plain_ppi_by_outlet": [
            ppi.ppi_mean_pointestimate(y[mine & drawn], f[mine & drawn], f[mine], lam=1).tolist()
            for mine in (outlet == n for n in range(3))
        ],
    }
    x = np.stack([np.ones(len(y)), outlet == 1, outlet == 2, year == 1], axis=1).astype(float)
    for n in range(LABELS):
        given = (x[drawn], y[drawn, n], f[drawn, n], x, f[:, n])
        adjusted = f[:, n] + labels.weight * (y[:, n] - f[:, n])
        fitted = models.OLS(adjusted, x).fit(
            cov_type="cluster", cov_kwds={"groups": article, "use_correction": False}, use_t=False
        )
        logistic = _logistic(x, adjusted, article)
        found |= {
            f"ppi_logistic_{n}": ppi.ppi_logistic_pointestimate(*given, lam=1).tolist(),
            f"ols_{n}": fitted.params.tolist(),
            f"ols_errors_{n}": fitted.bse.tolist(),
            f"logistic_{n}": logistic[0].tolist(),
            f"logistic_errors_{n}": logistic[1].tolist(),
        }
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _logistic(x: Floats, adjusted: Floats, article: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The coefficients that solve the moment equations of the logistic model, and their standard errors."""

    def moments(beta: Floats) -> Floats:
        return np.asarray(x * (adjusted - 1 / (1 + np.exp(-x @ beta)))[:, None])

    beta = root(lambda beta: moments(beta).mean(axis=0), np.zeros(x.shape[1]), tol=1e-12).x
    slope = approx_fprime(beta, lambda beta: moments(beta).mean(axis=0), 1e-7)
    sums = np.stack([moments(beta)[article == one].sum(axis=0) for one in np.unique(article)])
    inverse = np.linalg.inv(slope)
    variance = inverse @ (sums.T @ sums / len(x)) @ inverse.T / len(x)
    return beta, np.sqrt(np.diag(variance))


if __name__ == "__main__":
    main()
