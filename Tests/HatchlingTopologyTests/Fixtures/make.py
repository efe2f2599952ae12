"""Writes answers.json: what NumPy, NetworkX, powerlaw and SciPy say about small graphs and samples.

    python3 make.py

Random numbers are SplitMix64, as in HatchlingNumerics.SeededRandom, so that the tests make the same large graphs themselves.
"""

import json
import pathlib
import warnings

import networkx
import numpy
import powerlaw
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


def uniform(nodes, edges, seed):
    """Louvain, best of five seeds, on a multigraph of `edges` directed edges with their weights of 1 added up."""
    random = SplitMix64(seed)
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    for _ in range(edges):
        source, target = random.next() % nodes, random.next() % nodes
        old = graph.get_edge_data(source, target, {"weight": 0.0})["weight"]
        graph.add_edge(source, target, weight=old + 1)
    best = max(
        networkx.community.modularity(graph, networkx.community.louvain_communities(graph, seed=s))
        for s in range(5)
    )
    return {"nodes": nodes, "edges": edges, "seed": seed, "louvain": best}


def main():
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
        "zeta": [
            {"s": s, "a": a, "value": float(scipy.special.zeta(s, a))}
            for s in (1.01, 1.5, 2.0, 3.7, 12.0, 40.0)
            for a in (1.0, 2.0, 17.0, 1000.0)
        ],
    }
    path = pathlib.Path(__file__).with_name("answers.json")
    path.write_text(json.dumps(answers, separators=(",", ":")) + "\n")


main()
