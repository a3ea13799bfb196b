"""Writes the values that the tests of comparisons are held against.

Made with SciPy on Python 3; run it in this folder: python3 make_compare.py
"""
import itertools
import math
import random
from scipy import stats

g = random.Random(17)

with open("intervals.csv", "w") as out:
    out.write("# low, high (95 %) of the mean; then the values, strata between |: scipy.stats.t.interval, df by Satterthwaite (as in ttest_ind(equal_var=False))\n")
    for shape in [[4], [12], [3, 3], [5, 5, 5], [2] * 10, [5] * 20, [2, 7, 3], [1, 1, 1, 1], [2, 1, 3], [5, 5, 1, 1, 1]]:
        strata = [[round(g.gauss(g.uniform(-3, 3), g.uniform(0.1, 2)), 4) for _ in range(n)] for n in shape]
        single = sum((s for s in strata if len(s) == 1), [])
        pooled = [sum(strata, [])] if len(single) == 1 else [s for s in strata if len(s) > 1] + ([single] if single else [])
        parts = [(len(s) * len(s) * stats.sem(s) ** 2, len(s) - 1) for s in pooled]
        variance = sum(v for v, _ in parts)
        freedom = variance**2 / sum(v * v / f for v, f in parts)
        n = sum(shape)
        mean = sum(map(sum, strata)) / n
        low, high = stats.t.interval(0.95, freedom, loc=mean, scale=math.sqrt(variance) / n)
        if len(pooled) == 1:
            assert abs(freedom - (n - 1)) < 1e-9
        out.write(f"{float(low)!r},{float(high)!r};" + "|".join(",".join(map(repr, s)) for s in strata) + "\n")

with open("runs.csv", "w") as out:
    out.write("# results in a row, share of all their orders with as few runs (all counted)\n")
    runs = lambda s: sum(a != b for a, b in itertools.pairwise(s))
    for s in ["10", "1110", "0011", "0101", "1111100000", "1111111100", "1101100100", "1010101010", "111111111110000", "110011100011", "1000000001", "0111111110"]:
        orders = [runs(["1" if i in c else "0" for i in range(len(s))]) for c in itertools.combinations(range(len(s)), s.count("1"))]
        out.write(f"{s},{sum(r <= runs(s) for r in orders) / len(orders)!r}\n")

with open("two_sides.csv", "w") as out:
    out.write("# p (greater), p (less), then the paired differences: scipy.stats.permutation_test(permutation_type='samples')\n")
    for n in [3, 5, 8, 11, 13]:
        d = [round(g.gauss(0.3, 1), 3) for _ in range(n)]
        p = [stats.permutation_test((d,), lambda x, axis: x.sum(axis=axis), permutation_type="samples", vectorized=True, n_resamples=2**n, alternative=a).pvalue for a in ("greater", "less")]
        out.write(",".join(repr(float(x)) for x in [*p, *d]) + "\n")
