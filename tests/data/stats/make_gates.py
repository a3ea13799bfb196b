"""Writes the values that the tests of repeats and thresholds are held against.

Made with SciPy 1.17.1, statsmodels 0.15.0 and NumPy on Python 3; run it in this folder: python3 make_gates.py
"""
import itertools
import numpy as np
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

with open("wilson.csv", "w") as out:
    out.write("successes,trials,confidence,low,high\n")
    for (k, n), c in itertools.product(
        [(0, 1), (1, 1), (0, 10), (10, 10), (12, 12), (7, 10), (18, 19), (33, 40), (1, 1000), (999, 1000), (81, 263), (4321, 10000)],
        [0.8, 0.95, 0.99],
    ):
        low, high = proportion_confint(k, n, alpha=1 - c, method="wilson")
        again = binomtest(k, n).proportion_ci(confidence_level=c, method="wilson")
        assert abs(low - again.low) < 1e-12 and abs(high - again.high) < 1e-12
        out.write(f"{k},{n},{c},{float(low)!r},{float(high)!r}\n")

with open("evidence.csv", "w") as out:
    out.write("low,high,successes,failures,evidence\n")
    for (p0, p1), (s, f) in itertools.product(
        [(0.7, 0.9), (0.5, 0.95), (0.1, 0.3), (0.89, 0.9)], [(0, 0), (12, 0), (0, 3), (17, 1), (40, 10)]
    ):
        evidence = binom.logpmf(s, s + f, p1) - binom.logpmf(s, s + f, p0)
        out.write(f"{p0},{p1},{s},{f},{float(evidence)!r}\n")

with open("fixed_plans.csv", "w") as out:
    out.write("low,high,error,trials,needed\n")
    for p0, p1, error in [
        (0.7, 0.9, 0.05), (0.7, 0.9, 0.01), (0.5, 0.9, 0.05), (0.8, 0.95, 0.05), (0.75, 0.95, 0.05), (0.79, 0.99, 0.05),
        (0.9, 0.99, 0.05), (0.1, 0.3, 0.05), (0.6, 0.8, 0.1), (0.85, 0.9, 0.05), (0.8, 1.0, 0.05), (0.95, 1.0, 0.01), (0.4, 0.6, 0.2),
    ]:
        for n in range(1, 5000):
            needed = int(binom.isf(error, n, p0)) + 1  # the least c with P(X >= c) <= error
            while binom.sf(needed - 1, n, p0) > error:
                needed += 1
            while needed > 0 and binom.sf(needed - 2, n, p0) <= error:
                needed -= 1
            if needed <= n and binom.cdf(needed - 1, n, p1) <= error:
                out.write(f"{p0},{p1},{error},{n},{needed}\n")
                break

with open("ranks.csv", "w") as out:
    out.write("values,hundredths,rank\n")
    for n, q in itertools.product([1, 2, 5, 19, 20, 21, 100, 1000], [500, 2500, 5000, 9000, 9500, 9900, 9990]):
        # By decimals, so that no product is rounded: NumPy's inverted_cdf takes a float.
        rank = int(np.quantile(np.arange(1, n + 1), q / 10000, method="inverted_cdf"))
        assert rank == -(-n * q // 10000), (n, q, rank)
        out.write(f"{n},{q},{rank}\n")
