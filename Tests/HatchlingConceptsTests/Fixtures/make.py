#!/usr/bin/env python3
"""What SciPy computes for rank sums and signed ranks: scipy.json, which RankStatisticsTests compares with.

python3 make.py > scipy.json; made with NumPy and SciPy as named in the file.
"""
import itertools
import json

import numpy
import scipy
from scipy.stats import false_discovery_control, mannwhitneyu, rankdata, wilcoxon

random = numpy.random.default_rng(13)


def rank_sum(with_, without):
    with_, without = [float(v) for v in with_], [float(v) for v in without]
    case = {"with": with_, "without": without}
    found = mannwhitneyu(with_, without, alternative="greater", method="asymptotic")
    case["u"], case["p"] = float(found.statistic), float(found.pvalue)
    case["auc"] = case["u"] / (len(with_) * len(without))
    both = with_ + without
    if len(both) <= 14 or len(set(both)) == len(both) and len(both) <= 40:
        if len(set(both)) == len(both):
            case["exact"] = float(mannwhitneyu(with_, without, alternative="greater", method="exact").pvalue)
        else:  # all ways to label the values
            ranks = rankdata(both)
            own = ranks[: len(with_)].sum()
            sums = [ranks[list(c)].sum() for c in itertools.combinations(range(len(both)), len(with_))]
            case["exact"] = sum(s >= own for s in sums) / len(sums)
    return case


def signed_rank(differences):
    d = [float(v) for v in differences]
    kept = [v for v in d if v != 0]
    case = {"differences": d, "count": len(kept)}
    ranks = rankdata(numpy.abs(kept)) if kept else numpy.array([])
    case["w"] = float(sum(r for r, v in zip(ranks, kept) if v > 0))
    if kept and len(set(numpy.abs(kept))) == len(kept):
        found = wilcoxon(kept, alternative="greater", method="exact")
        assert found.statistic == case["w"]
        case["p"] = float(found.pvalue)
    else:  # all signs
        sums = [sum(r for r, s in zip(ranks, signs) if s) for signs in itertools.product([0, 1], repeat=len(kept))]
        case["p"] = sum(s >= case["w"] for s in sums) / len(sums)
    return case


sums = [
    rank_sum(random.normal(0.7, 1, 50), random.normal(0, 1, 50)),
    rank_sum(random.normal(0, 1, 100), random.normal(0, 1, 87)),
    rank_sum(random.integers(0, 4, 60), random.integers(0, 5, 40)),
    rank_sum(numpy.maximum(0, random.normal(-0.5, 1, 100)), numpy.maximum(0, random.normal(-1, 1, 100))),
    rank_sum(random.normal(3, 1, 30), random.normal(0, 1, 30)),
    rank_sum(random.normal(0.5, 1, 6), random.normal(0, 1, 7)),
    rank_sum(random.normal(0.5, 1, 15), random.normal(0, 1, 12)),
    rank_sum([0, 0, 1, 1, 2, 5], [0, 0, 0, 1, 3]),
    rank_sum([1, 2, 3], [4, 5]),
    rank_sum([2], [1]),
]
signed = [
    signed_rank(random.normal(0.3, 1, 5)),
    signed_rank(random.normal(0.3, 1, 12)),
    signed_rank(random.normal(0, 1, 30)),
    signed_rank([0.5, 0.4, 0.3, 0.2, 0.1]),
    signed_rank([0.5, 0.5, -0.25, 0, 0.1, -0.1, 0.5]),
    signed_rank([0, 0]),
    signed_rank([-0.2, -0.3, -0.4]),
]
ps = [float(p) for p in numpy.concatenate([random.uniform(0, 1, 40), random.uniform(0, 0.01, 10)])]
rates = {str(q): int((false_discovery_control(ps) <= q).sum()) for q in (0.001, 0.05, 0.2)}
print(json.dumps({
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
    "rank_sums": sums, "signed_ranks": signed, "discoveries": {"p": ps, "rejected": rates}}, indent=1))
