"""Brian2 does a phase of Hatchling's direct form: the same synapses, the same input spikes; the same neurons must fire in the same sub-steps.

    python spikes_brian2.py FOLDER

The neuron is written as Hatchling's is: K sub-steps add up what arrives, K more let a K-th of it flow into a membrane that fires at half a spike and
loses a spike. A scale of each sender in each layer is multiplied into the weights, and layers are networks of their own. Code is generated in C++
through Cython, on one thread; seconds are the processor's.
"""
import json
import sys
import time

import brian2
import numpy
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, defaultclock, ms, prefs
from spike_phases import Phases


def run(phases, layer):
    """(phase, sub-step, particle) of every spike of a layer's output phases, and seconds."""
    defaultclock.dt = 1 * ms
    period = 2 * phases.substeps
    own = phases.sent[phases.sent["phase"] % phases.layers == layer]
    steps = own["phase"] // phases.layers * period + own["substep"]
    senders = SpikeGeneratorGroup(phases.nodes, own["particle"], steps * ms, sorted=False)
    neurons = NeuronGroup(
        phases.neurons, "drive : 1\nmembrane : 1\nscale : 1 (constant)",
        threshold="membrane >= 0.5 / K", reset="membrane -= 1 / K", method="euler", namespace={"K": float(phases.substeps), "period": period, "half": phases.substeps})
    neurons.scale = phases.scale_of_target[layer]
    # When the period begins everything is forgotten; in its second half the sum flows in.
    neurons.run_regularly("drive = 0\nmembrane = 0", dt=period * ms, when="start")
    neurons.run_regularly(
        "membrane += int(t_in_timesteps % period >= half) * drive / scale / half", when="groups")
    synapses = Synapses(senders, neurons, "w : 1", on_pre="drive_post += w")
    synapses.connect(i=phases.pre, j=phases.post)
    synapses.w = phases.weight * phases.scale_of_sender[layer][phases.pre] / phases.substeps
    monitor = SpikeMonitor(neurons)
    network = Network(senders, neurons, synapses, monitor)
    network.run(0 * ms)  # code is generated and compiled
    start = time.process_time()
    network.run(phases.tokens * period * ms)
    seconds = time.process_time() - start
    step = numpy.round(monitor.t / ms).astype(int)
    token, substep = step // period, step % period - phases.substeps
    return list(zip((token * phases.layers + layer).tolist(), substep.tolist(), numpy.array(monitor.i).tolist())), seconds


def main(folder):
    prefs.codegen.target = "cython"
    phases = Phases(folder)
    found, seconds = [], 0.0
    for layer in range(phases.layers):
        spikes, spent = run(phases, layer)
        found, seconds = found + spikes, seconds + spent
    report = phases.compare(found)
    report |= {
        "peer": f"Brian2 {brian2.__version__}", "events": phases.events, "seconds": seconds,
        "events_per_second": phases.events / seconds}
    print(json.dumps(report))
    return 0 if report["same"] == report["spikes"] and report["more"] == 0 else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
