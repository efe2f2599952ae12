"""NEST does a phase of Hatchling's direct form: the same synapses, the same input spikes; the same neurons must fire in the same sub-steps.

    python spikes_nest.py FOLDER

On one thread; seconds are the processor's.

Synapses and their delivery are NEST's own. What it does not have, and what stands in for it:
- an integrate-and-fire neuron with reset by subtraction. mat2_psc_exp has no reset: at a spike its threshold rises by alpha_1, a spike's weight, and
  with a time constant of 2^100 ms it stays there, which is the same neuron. It rests for one step after a spike, so a sub-step is two steps;
- a phase that begins when its input is complete: iaf_psc_delta neurons without a threshold add up what arrives, and Python hands their sums on as
  constant currents, a K-th of which flows in at every sub-step;
- a scale of each sender in each layer: its s/K is multiplied into the weights, and layers are networks of their own.
"""
import json
import sys
import time

import numpy
import nest
from spike_phases import Phases

FOREVER = 2.0**100  # ms; a power of two, so that nothing is lost, to the last bit
QUIET = {"E_L": 0.0, "V_m": 0.0, "C_m": 1.0, "tau_m": FOREVER}


def deliver(phases, layer, delay):
    """Input phases of a layer, token after token: what has arrived at every target, `(tokens, n)`, and seconds."""
    nest.ResetKernel()
    nest.set(resolution=1.0)
    period = phases.substeps + delay + 1
    own = phases.sent[phases.sent["phase"] % phases.layers == layer]
    own = own[numpy.argsort(own["particle"], kind="stable")]
    times = own["phase"] // phases.layers * period + own["substep"] + 1.0
    ends = numpy.searchsorted(own["particle"], numpy.arange(phases.nodes + 1))
    trains = [times[ends[node]:ends[node + 1]] for node in range(phases.nodes)]
    senders = nest.Create("spike_train_injector", phases.nodes, [{"spike_times": train} for train in trains])
    sums = nest.Create("iaf_psc_delta", phases.neurons, {**QUIET, "V_th": 1e300, "V_reset": 0.0})
    weights = phases.weight * phases.scale_of_sender[layer][phases.pre] / phases.substeps
    nest.Connect(
        phases.pre + senders[0].global_id, phases.post + sums[0].global_id, "one_to_one",
        {"synapse_model": "static_synapse", "weight": weights, "delay": numpy.full(len(weights), float(delay))})
    drives, seconds = [], 0.0
    nest.Prepare()
    for _ in range(phases.tokens):
        sums.V_m = 0.0
        start = time.process_time()
        nest.Run(float(period))
        seconds += time.process_time() - start
        drives.append(numpy.array(sums.V_m))
    nest.Cleanup()
    return numpy.array(drives), seconds


def fire(phases, layer, drives):
    """Output phases of a layer: (phase, sub-step, particle) of every spike, and seconds."""
    nest.ResetKernel()
    nest.set(resolution=0.5)
    weight = 1.0 / phases.substeps
    neurons = nest.Create(
        "mat2_psc_exp", phases.neurons,
        {**QUIET, "t_ref": 0.5, "tau_1": FOREVER, "tau_2": FOREVER, "alpha_1": weight, "alpha_2": 0.0, "omega": weight / 2})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": 0.5})
    begins, seconds = [], 0.0
    for drive in drives:
        neurons.set({"V_m": 0.0, "V_th_alpha_1": 0.0, "V_th_alpha_2": 0.0})
        # x is what is above 0.
        neurons.I_e = numpy.maximum(drive, 0) / phases.scale_of_target[layer] * weight
        begins.append(nest.biological_time)
        start = time.process_time()
        nest.Simulate(float(phases.substeps))
        seconds += time.process_time() - start
    nest.Simulate(1.0)  # the last spikes reach the recorder
    events = recorder.events
    token = numpy.searchsorted(begins, events["times"], side="left") - 1
    substep = numpy.ceil(events["times"] - numpy.array(begins)[token]).astype(int) - 1
    particle = events["senders"] - neurons[0].global_id
    inside = substep < phases.substeps
    return list(zip((token * phases.layers + layer)[inside].tolist(), substep[inside].tolist(), particle[inside].tolist())), seconds


def main(folder):
    nest.verbosity = nest.VerbosityLevel.ERROR
    phases = Phases(folder)
    found, best, firing = [], 0.0, 0.0
    for layer in range(phases.layers):
        # A longer way lets NEST exchange spikes once in K steps; the faster of the two counts.
        times = []
        for delay in (1, phases.substeps):
            drives, seconds = deliver(phases, layer, delay)
            times.append(seconds)
        spikes, seconds = fire(phases, layer, drives)
        found += spikes
        best += min(times)
        firing += seconds
    report = phases.compare(found)
    report |= {
        "peer": f"NEST {nest.__version__}", "events": phases.events, "input_seconds": best,
        "output_seconds": firing, "events_per_second": phases.events / best}
    print(json.dumps(report))
    return 0 if report["same"] == report["spikes"] and report["more"] == 0 else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
