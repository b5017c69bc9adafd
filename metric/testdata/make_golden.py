"""Writes summary.json, aggregate.json and censored.json: what NumPy and SciPy say of samples.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy
    cd metric/testdata && /tmp/venv/bin/python make_golden.py

Percentiles are numpy.percentile with its default method (linear) and with
"nearest", the standard deviation is numpy.std (population), and intervals over
runs are scipy.stats.t's. Quantiles of samples that are cut off come from the
product-limit estimator of scipy.stats.ecdf.
"""

import json

import numpy as np
from scipy import stats

PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 99]


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
    }
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


def censored(values, cut):
    """The least value whose survival is at most 1 − q; null where none is."""
    known = [v for v, c in zip(values, cut) if not c]
    right = [v for v, c in zip(values, cut) if c]
    sf = stats.ecdf(stats.CensoredData(uncensored=known, right=right)).sf
    quantiles = []
    for p in PERCENTS:
        at = np.nonzero(sf.probabilities <= 1 - p / 100 + 1e-12)[0]
        quantiles.append(float(sf.quantiles[at[0]]) if len(at) else None)
    return {"values": values, "cut": cut, "quantiles": quantiles}


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
    samples = []
    for n, share in ((5, 0.4), (40, 0.1), (200, 0.5), (300, 0.02)):
        values = [float(v) for v in np.round(rng.lognormal(-1, 0.5, n), 2)]
        samples.append(censored(values, [bool(c) for c in rng.random(n) < share]))
    with open("censored.json", "w") as f:
        json.dump(samples, f)
        f.write("\n")


main()
