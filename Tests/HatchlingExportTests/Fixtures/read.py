"""Reads an exported graph with NetworkX (GraphML, GEXF) or SciPy (Matrix Market) and prints what it sees as JSON.

python3 read.py FILE. Exit status 3: NetworkX or SciPy is not installed.
"""

import json
import sys

path = sys.argv[1]
try:
    if path.endswith(".mtx"):
        import scipy.io

        matrix = scipy.io.mmread(path).tocoo()
        edges = [
            {"source": int(r), "target": int(c), "weight": float(v)}
            for r, c, v in zip(matrix.row, matrix.col, matrix.data)
        ]
        print(json.dumps({"rows": matrix.shape[0], "columns": matrix.shape[1], "edges": edges}))
        sys.exit(0)
    import networkx
except ImportError:
    sys.exit(3)

graph = networkx.read_graphml(path) if path.endswith(".graphml") else networkx.read_gexf(path)
assert graph.is_directed()
print(
    json.dumps(
        {
            "nodes": [{"name": name, **attributes} for name, attributes in graph.nodes(data=True)],
            "edges": [
                {"source": source, "target": target, **attributes}
                for source, target, attributes in graph.edges(data=True)
            ],
        }
    )
)
