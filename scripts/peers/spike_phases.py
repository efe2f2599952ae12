"""One phase of the direct form as other simulators get it: the spikes of z, the synapses of G_x, and the spikes of x that must come out.

Reads what `scripts/spike-peers` has Hatchling write into a folder: g.x.mtx and g.token_x.mtx (compile), scales.json (calibrate), spikes.npy and
spikes.json (record --spikes z,x), code rate:K, scales by particle.
"""
import json
import os

import numpy

SIXTEENTH = 1 / 16  # what a particle that calibration found silent gets of its layer's scale


class Phases:
    """Every layer of every token: n + V senders, n targets, K sub-steps of input, then K of output."""

    def __init__(self, folder):
        self.pre, self.post, self.weight, self.neurons, self.nodes = synapses(folder)
        records = numpy.load(os.path.join(folder, "spikes.npy"))
        with open(os.path.join(folder, "spikes.json")) as file:
            described = json.load(file)
        names = [what["name"] for what in described["what"]]
        self.layers = described["layers"]
        self.tokens = int(records["token"].max()) + 1
        code = described["sampling"].split("spikes ")[1].split(",")[0]
        kind, substeps = code.split(":")
        if kind != "rate":
            raise ValueError(f"{code}: a code of equal spikes is needed, rate:K")
        self.substeps = int(substeps)
        self.count = self.tokens * self.layers
        inside = records[records["layer"] > 0]
        sent = inside[inside["what"] == names.index("spikes_z")]
        fired = inside[inside["what"] == names.index("spikes_x")]
        if len(sent) == 0 or len(fired) == 0:
            raise ValueError("no spikes to compare")
        if (sent["value"] < 0).any() or (fired["value"] < 0).any():
            raise ValueError("z and x say nothing below 0")
        self.sent = self.sorted(sent)
        self.expected = self.sorted(fired)
        scales = self.scales(folder)
        # A spike of z weighs s/K of its sender in its layer; a spike of x must.
        self.check(scales["z"], self.sent, sent, "z")
        self.check(scales["x"], self.expected, fired, "x")
        self.scale_of_sender, self.scale_of_target = scales["z"], scales["x"]
        self.degrees = numpy.bincount(self.pre, minlength=self.nodes)
        self.events = int(self.degrees[self.sent["particle"]].sum())

    def sorted(self, records):
        """(phase, sub-step, particle), in this order."""
        spikes = numpy.empty(len(records), dtype=[("phase", "i8"), ("substep", "i8"), ("particle", "i8"), ("value", "f8")])
        spikes["phase"] = records["token"].astype("i8") * self.layers + records["layer"] - 1
        spikes["substep"] = records["substep"]
        spikes["particle"] = records["entry"]
        spikes["value"] = records["value"]
        return numpy.sort(spikes, order=["phase", "substep", "particle"])

    def scales(self, folder):
        """{quantity: (layers, particles)}, as SpikeScales makes them of the largest values, by particle, for rates."""
        with open(os.path.join(folder, "scales.json")) as file:
            largest = json.load(file)["largest"]
        found = {}
        for name in ("z", "x"):
            rows = numpy.array([row for row in largest[name][: self.layers]])
            tops = rows.max(axis=1, keepdims=True)
            tops[tops == 0] = max(max(row) for row in largest[name])
            found[name] = numpy.maximum(rows, tops * SIXTEENTH)
        return found

    def check(self, scales, spikes, records, name):
        expected = scales[spikes["phase"] % self.layers, spikes["particle"]] / self.substeps
        if not numpy.allclose(spikes["value"], expected, rtol=1e-9, atol=0):
            raise ValueError(f"spikes of {name} do not weigh s/K of the scales")

    def compare(self, found):
        """`found`: (phase, sub-step, particle) of the spikes of x. All must be there and no other; returns a report."""
        ours = set(zip(*(self.expected[field].tolist() for field in ("phase", "substep", "particle"))))
        theirs = set(found)
        if not ours or len(theirs) != len(found):
            raise ValueError("nothing to compare, or a spike twice")
        return {
            "spikes": len(ours), "same": len(ours & theirs), "missing": len(ours - theirs), "more": len(theirs - ours)}


def synapses(folder):
    """Presynaptic node, postsynaptic neuron and weight of every synapse of G_x; token neurons follow the n neurons."""
    parts = []
    for name in ("g.x.mtx", "g.token_x.mtx"):
        with open(os.path.join(folder, name)) as file:
            if not next(file).startswith("%%MatrixMarket matrix coordinate real general"):
                raise ValueError(f"{name} is no matrix of weights")
            rest = (line for line in file if not line.startswith("%"))
            rows, columns, count = map(int, next(rest).split())
            table = numpy.loadtxt(rest, ndmin=2)
        if table.shape != (count, 3):
            raise ValueError(f"{name}: {count} synapses are announced, {table.shape[0]} are there")
        parts.append((rows, columns, table))
    (neurons, targets, own), (tokens, others, given) = parts
    if not neurons == targets == others:
        raise ValueError("G_x does not lead from nodes to neurons")
    pre = numpy.concatenate([own[:, 0] - 1, given[:, 0] - 1 + neurons]).astype("i8")
    post = numpy.concatenate([own[:, 1], given[:, 1]]).astype("i8") - 1
    # As Hatchling holds them: float32, printed with the digits that read back as it.
    weight = numpy.concatenate([own[:, 2], given[:, 2]]).astype("f4").astype("f8")
    return pre, post, weight, neurons, neurons + tokens
