"""Writes summary.json and aggregate.json: what NumPy and SciPy say of samples.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy
    cd metric/testdata && /tmp/venv/bin/python make_golden.py

Percentiles are numpy.percentile with its default method (linear) and with
"nearest", the standard deviation is numpy.std (population), the interval of
the mean is scipy.stats.t's, and that of a quantile comes from scipy.stats.binom.
"""

import json

import numpy as np
from scipy import stats

PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 99]


def order_interval(n, q):
    """0-based order statistics around the quantile q, 2.5 % cut off at either side."""
    cdf = stats.binom.cdf(np.arange(n), n, q)
    low = int(np.sum(cdf <= 0.025)) - 1
    high = int(np.sum(cdf < 0.975))
    return max(0, low), min(n - 1, high)


def summary(values, failed):
    a = np.array(values)
    n = len(a)
    out = {
        "values": values,
        "failed": failed,
        "avg": a.mean(),
        "std": a.std(),
        "sum": a.sum(),
        "linear": [float(np.percentile(a, p)) for p in PERCENTS],
        "low_high": [order_interval(n, p / 100) for p in PERCENTS],
    }
    if n > 1:
        out["mean_interval"] = list(stats.t.interval(0.95, n - 1, loc=a.mean(), scale=stats.sem(a)))
    # The infinite values are indices beyond n, which JSON can hold.
    ranks = np.arange(n + failed)
    out["nearest_rank"] = [int(np.percentile(ranks, p, method="nearest")) for p in PERCENTS]
    return out


def spread(values, level):
    a = np.array(values)
    n = len(a)
    se = stats.sem(a)
    t = stats.t.ppf(1 - (1 - level) / 2, n - 1)
    return {
        "values": values, "level": level,
        "mean": a.mean(), "std": a.std(ddof=1), "min": a.min(), "max": a.max(),
        "cv": a.std(ddof=1) / a.mean(), "se": se,
        "ci_low": a.mean() - t * se, "ci_high": a.mean() + t * se, "t_critical": t,
    }


def main():
    rng = np.random.default_rng(7)
    samples = [([0.25], 1), ([3.0, 1.0], 2), ([1.0, 2.0, 4.0], 1), (list(range(1, 11)), 1)]
    for n, failed in ((21, 5), (50, 1), (100, 3), (500, 20), (777, 1)):
        samples.append(([float(v) for v in rng.lognormal(-3, 0.7, n)], failed))
    samples = [([float(v) for v in values], failed) for values, failed in samples]
    with open("summary.json", "w") as f:
        json.dump([summary(v, k) for v, k in samples], f)
        f.write("\n")
    runs = [[1.0, 2.0], [10.0, 11.0, 12.5], [float(v) for v in rng.normal(100, 3, 10)]]
    with open("aggregate.json", "w") as f:
        json.dump([spread(r, level) for r in runs for level in (0.90, 0.95, 0.99)], f)
        f.write("\n")


main()
