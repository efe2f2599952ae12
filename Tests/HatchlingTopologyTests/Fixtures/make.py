"""Writes answers.json: what NumPy, NetworkX, leidenalg, powerlaw, SciPy and mpmath say about small graphs, samples and degrees of networks.

    python3 make.py [FOLDER]

FOLDER holds what `hatchling degrees` wrote, a folder per graph with in_degree.csv and out_degree.csv; without it the networks stay as they are.
Random numbers are SplitMix64, as in HatchlingNumerics.SeededRandom, so that the tests make the same large graphs and samples themselves.
"""

import csv
import json
import math
import pathlib
import sys
import warnings

import igraph
import leidenalg
import mpmath
import networkx
import numpy
import powerlaw
import scipy.optimize
import scipy.special

warnings.simplefilter("ignore")
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def small_graph(nodes, seed):
    """A directed graph with four planted groups, self-connections and answered edges; weights are float32."""
    random = numpy.random.default_rng(seed)
    matrix = numpy.zeros((nodes, nodes), dtype=numpy.float32)  # matrix[source, target]
    group = numpy.arange(nodes) * 4 // nodes
    for source in range(nodes):
        for target in range(nodes):
            if random.random() < (0.25 if group[source] == group[target] else 0.03):
                matrix[source, target] = random.random() + 0.1
    return matrix, group


def describe(matrix, group):
    nodes = len(matrix)
    directed = networkx.DiGraph()
    directed.add_nodes_from(range(nodes))
    for source, target in zip(*matrix.nonzero()):
        directed.add_edge(int(source), int(target), weight=float(matrix[source, target]))
    undirected = networkx.Graph()
    undirected.add_nodes_from(range(nodes))
    for source, target, weight in directed.edges(data="weight"):
        old = undirected.get_edge_data(source, target, {"weight": 0.0, "count": 0.0})
        undirected.add_edge(source, target, weight=old["weight"] + weight, count=old["count"] + 1)
    simple = directed.copy()
    simple.remove_edges_from(list(networkx.selfloop_edges(simple)))
    groups = [set(numpy.flatnonzero(group == g).tolist()) for g in sorted(set(group.tolist()))]
    modularity = networkx.community.modularity
    core = networkx.core_number(networkx.Graph(simple.to_undirected()))
    return {
        "nodes": nodes,
        "sources": [int(s) for s in matrix.nonzero()[0]],
        "targets": [int(t) for t in matrix.nonzero()[1]],
        "weights": [float(w) for w in matrix[matrix.nonzero()]],
        "in_degree": (matrix != 0).sum(0).tolist(),
        "out_degree": (matrix != 0).sum(1).tolist(),
        "in_strength": matrix.astype(float).sum(0).tolist(),
        "out_strength": matrix.astype(float).sum(1).tolist(),
        "self_loops": int((numpy.diag(matrix) != 0).sum()),
        "partition": group.tolist(),
        "modularity": modularity(undirected, groups, weight="weight"),
        "modularity_unweighted": modularity(undirected, groups, weight="count"),
        "modularity_directed": modularity(directed, groups, weight="weight"),
        "modularity_directed_unweighted": modularity(directed, groups, weight=None),
        "reciprocity": networkx.overall_reciprocity(simple),
        "coreness": [core[n] for n in range(nodes)],
        "weak": sorted((len(c) for c in networkx.weakly_connected_components(directed)), reverse=True),
        "strong": sorted((len(c) for c in networkx.strongly_connected_components(directed)), reverse=True),
    }


def sample(name, values):
    values = [int(v) for v in values if 0 < v < 10**7]
    fit = powerlaw.Fit(values, discrete=True, estimate_discrete=False, verbose=False)
    at = lambda x: powerlaw.Fit(values, discrete=True, estimate_discrete=False, xmin=x, verbose=False)
    law = fit.power_law
    tail = numpy.array([v for v in values if v >= fit.xmin])
    lognormal, exponential = fit.lognormal, fit.exponential
    r_lognormal, p_lognormal = fit.distribution_compare("power_law", "lognormal")
    r_exponential, p_exponential = fit.distribution_compare("power_law", "exponential")
    # powerlaw looks for alpha between 1 and 3 only, so a second x_min is given where the answer stays inside.
    other = next(
        (x for x in (2 * int(fit.xmin), int(fit.xmin) + 1, int(fit.xmin) // 2) if x > 0 and at(x).power_law.alpha < 2.98), None
    )
    if other is None:
        raise SystemExit(f"{name}: no second x_min")
    return {
        "name": name,
        "values": values,
        "x_min": int(fit.xmin),
        "alpha": float(law.alpha),
        "ks": float(law.D),
        "tail": len(tail),
        "other_x_min": other,
        "other_alpha": float(at(other).power_law.alpha),
        "other_ks": float(at(other).power_law.D),
        "log_likelihood": float(sum(law.loglikelihoods(tail))),
        "log_normal_mu": float(lognormal.mu),
        "log_normal_sigma": float(lognormal.sigma),
        "log_normal_log_likelihood": float(sum(lognormal.loglikelihoods(tail))),
        "log_normal_ratio": float(r_lognormal),
        "log_normal_p": float(p_lognormal),
        "exponential_ratio": float(r_exponential),
        "exponential_p": float(p_exponential),
    }


def log_zeta(s, x):
    """ln of x^s ζ(s, x): SciPy's, and where that would underflow the integral with its first corrections, or the sum, whose terms end soon."""
    if s * math.log(x) < 600:
        return math.log(scipy.special.zeta(s, x)) + s * math.log(x)
    if x > 1000 * s:
        return math.log(x / (s - 1) + 0.5 + s / (12 * x))
    k = numpy.arange(x, math.ceil(x * math.exp(46 / s)) + 2)
    return math.log(numpy.exp(-s * numpy.log(k / x)).sum())


def zeta(s, x, derivative=0):
    """mpmath's digits are absolute ones here."""
    with mpmath.workdps(30 + int(s * math.log10(x) + s)):
        return mpmath.zeta(s, x, derivative)


def distance(alpha, x, degrees, counts):
    """Kolmogorov and Smirnov's, over every integer where there are not too many, else at degrees and just before them."""
    scaled = lambda k: numpy.array([math.exp(log_zeta(alpha, v) - alpha * math.log(v / x)) for v in k])
    if degrees[-1] < 20000:
        k = numpy.arange(x, degrees[-1] + 1)
        law = numpy.cumsum(numpy.exp(-alpha * numpy.log(k / x) - log_zeta(alpha, x)))
        seen = numpy.zeros(len(k))
        seen[degrees - x] = counts
        return numpy.abs(numpy.cumsum(seen) / counts.sum() - law).max()
    seen, norm = numpy.cumsum(counts) / counts.sum(), math.exp(log_zeta(alpha, x))
    before = seen - counts / counts.sum() - 1 + scaled(degrees) / norm
    return max(numpy.abs(before).max(), numpy.abs(seen - 1 + scaled(degrees + 1) / norm).max())


def exact_fit(degrees, counts):
    """The likeliest discrete power law from the x_min of the smallest distance, by SciPy; its alpha by the root of the slope."""
    best = None
    for first in range(len(degrees) - 1):
        x, k, c = int(degrees[first]), degrees[first:], counts[first:]
        mean = (c * numpy.log(k / x)).sum() / c.sum()
        # The continuous law's exponent is above the discrete one's.
        alpha = scipy.optimize.minimize_scalar(
            lambda s: s * mean + log_zeta(s, x), bounds=(1 + 1e-6, 1.1 + 1 / mean), method="bounded", options={"xatol": 1e-11}
        ).x
        ks = distance(alpha, x, k, c)
        if best is None or ks < best[0]:
            best = ks, x, alpha, mean, k, c
    _, x, alpha, mean, k, c = best
    if alpha < 20:
        slope = lambda s: mean + mpmath.log(x) + zeta(s, x, 1) / zeta(s, x)
        alpha = float(mpmath.findroot(slope, alpha))
    else:  # mpmath would take minutes, and sums end soon
        r = numpy.log(numpy.arange(x, math.ceil(x * math.exp(46 / (alpha - 1)))) / x)
        slope = lambda s: mean - (r * numpy.exp(-s * r)).sum() / numpy.exp(-s * r).sum()
        alpha = scipy.optimize.brentq(slope, alpha - 0.1, alpha + 0.1, xtol=1e-12, rtol=1e-14)
    return {"x_min": x, "alpha": alpha, "ks": float(distance(alpha, x, k, c)), "tail": int(c.sum())}


def law(index):
    """A rounded continuous power law above uniform degrees below x_min; `check` is the sum of its degrees."""
    alpha, x_min, size, random = 1.2 + 2.3 * index / 199, 1 + 7 * index % 20, 200 + 5 * index, SplitMix64(index)
    values = []
    while len(values) < size:
        u = (random.next() >> 11) * 2.0**-53
        if x_min > 1 and u < 0.3:
            values.append(1 + random.next() % (x_min - 1))
        else:
            u = (random.next() >> 11) * 2.0**-53
            value = (x_min - 0.5) * math.pow(1 - u, -1 / (alpha - 1)) + 0.5
            if value < 1e9:
                values.append(int(value))
    fit = exact_fit(*numpy.unique(values, return_counts=True))
    return {"true_alpha": alpha, "true_x_min": x_min, "size": size, "seed": index, "check": sum(values), **fit}


def network(name, path):
    rows = [(int(row["degree"]), int(row["count"])) for row in csv.DictReader(path.open())]
    degrees, counts = numpy.array([row for row in rows if row[0] > 0]).T
    return {"name": name, "degrees": degrees.tolist(), "counts": counts.tolist(), **exact_fit(degrees, counts)}


def networks(folder):
    return [
        network(f"{graph.name} {kind}", graph / f"{kind}_degree.csv") for graph in sorted(folder.iterdir()) for kind in ("in", "out")
    ]


def uniform(nodes, edges, seed):
    """Louvain by NetworkX and Leiden until stable by leidenalg, best of five seeds, on a multigraph with its weights of 1 added up."""
    random = SplitMix64(seed)
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    for _ in range(edges):
        source, target = random.next() % nodes, random.next() % nodes
        old = graph.get_edge_data(source, target, {"weight": 0.0})["weight"]
        graph.add_edge(source, target, weight=old + 1)
    louvain = lambda s: networkx.community.louvain_communities(graph, seed=s)
    other = igraph.Graph.from_networkx(graph)
    leiden = lambda s: leidenalg.find_partition(
        other, leidenalg.ModularityVertexPartition, weights="weight", n_iterations=-1, seed=s
    )
    return {
        "nodes": nodes,
        "edges": edges,
        "seed": seed,
        "louvain": max(networkx.community.modularity(graph, louvain(s)) for s in range(5)),
        "leiden": max(networkx.community.modularity(graph, map(set, leiden(s))) for s in range(5)),
    }


def main():
    path = pathlib.Path(__file__).with_name("answers.json")
    random = numpy.random.default_rng(1)
    answers = {
        "graphs": [describe(*small_graph(60, 1)), describe(*small_graph(23, 2))],
        "samples": [
            sample("zipf", random.zipf(2.5, 2000)),
            sample("flat zipf", random.zipf(1.8, 4000)),
            sample("log-normal", numpy.maximum(1, random.lognormal(2, 1.2, 3000).astype(int))),
            sample("geometric", random.geometric(0.05, 1500)),
        ],
        "uniform": [uniform(1000, edges, 7) for edges in (2000, 8000, 32000, 100000)],
        "laws": [law(index) for index in range(200)],
        "networks": networks(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else json.loads(path.read_text())["networks"],
        "zeta": [
            {"s": s, "a": a, "value": float(zeta(s, a)), "slope": float(zeta(s, a, 1)), "curvature": float(zeta(s, a, 2))}
            for s in (1.01, 1.5, 2.0, 3.7, 12.0, 40.0)
            for a in (1.0, 2.0, 17.0, 1000.0)
        ],
    }
    path.write_text(json.dumps(answers, separators=(",", ":")) + "\n")


main()
