"""How a peer talks to the benchmark: one JSON object per line, requests on standard input, answers on standard output.

A peer first says {"ready": "what it is, with versions"} or {"skip": "why it cannot run"}. A request is {"do": action, …}; the
answer has what the action returned, or {"error": …}. Peers wait for requests without using the processor, so that whoever is being
timed has the machine alone.
"""
import json
import sys
import time


def answer(value):
    print(json.dumps(value), flush=True)


def skip(reason):
    answer({"skip": reason})
    sys.exit(0)


def serve(description, actions):
    """Answers requests until standard input ends. `actions` maps names to functions of the request."""
    answer({"ready": description})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(actions[request["do"]](request))
        except Exception as error:  # the benchmark reports it and goes on without this peer
            answer({"error": f"{type(error).__name__}: {error}"})


def seconds(work):
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def largest_difference(ours, theirs):
    """max |a − b| / max |b|; not a number anywhere is infinitely far."""
    import numpy

    ours, theirs = numpy.asarray(ours, dtype=numpy.float64), numpy.asarray(theirs, dtype=numpy.float64)
    if ours.shape != theirs.shape or ours.size == 0:
        raise ValueError(f"nothing to compare: {ours.shape} and {theirs.shape}")
    difference = float(numpy.abs(ours - theirs).max() / numpy.abs(theirs).max())
    return difference if difference == difference else float("inf")
