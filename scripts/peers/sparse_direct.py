#!/usr/bin/env python3
"""Peer: delivery over a sparse neuron graph with SciPy, in the faster of its ways.

    sparse_direct.py FOLDER

FOLDER holds, as NumPy arrays: `targets.npy`, `sources.npy` (int32) and `weights.npy` (float32), one entry per synapse; `shape.npy`
(targets, sources); `counts.npy`, `active.npy`, `values.npy`: for every moment the number of firing sources, then who they are and
what they send, end to end; `sums.npy`: what we made of the first moment.
"""
import argparse
import os

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("folder")
options = parser.parse_args()
try:
    import numpy
    import scipy
    import scipy.sparse
except ImportError as error:
    protocol.skip(f"SciPy is not installed ({error})")


def array(name):
    return numpy.load(os.path.join(options.folder, name + ".npy"))


shape = tuple(int(size) for size in array("shape").reshape(-1))
entries = (array("weights").reshape(-1), (array("targets").reshape(-1), array("sources").reshape(-1)))
columns, rows = scipy.sparse.csc_matrix(entries, shape=shape), scipy.sparse.csr_matrix(entries, shape=shape)
ends = numpy.cumsum(array("counts").reshape(-1))
active = numpy.split(array("active").reshape(-1), ends[:-1])
values = numpy.split(array("values").reshape(-1), ends[:-1])
full = []
for who, what in zip(active, values):
    vector = numpy.zeros(shape[1], dtype=numpy.float32)
    vector[who] = what
    full.append(vector)
ways = {
    "G[:, active] @ w": lambda: [columns[:, who] @ what for who, what in zip(active, values)],
    "G @ w, CSC": lambda: [columns @ vector for vector in full],
    "G @ w, CSR": lambda: [rows @ vector for vector in full],
}
fastest = min(ways, key=lambda way: min(protocol.seconds(ways[way]) for _ in range(2)))


def check(request):
    return {"difference": protocol.largest_difference(array("sums").reshape(-1), columns[:, active[0]] @ values[0])}


protocol.serve(
    f"SciPy {scipy.__version__}, fastest way {fastest}",
    {"check": check, "deliver": lambda request: {"seconds": protocol.seconds(ways[fastest])}},
)
