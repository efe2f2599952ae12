"""The signs of what neurons send, beside chance: signs dealt out anew over all synapses, every neuron with as many as it has. For scripts/dale."""
import numpy


def choose(n, k):
    """ln of n over k, by Stirling's series; −∞ where k > n."""
    def factorial(x):
        x = numpy.asarray(x, "f8")
        small = numpy.where(x < 20, x, 0).astype(int)
        exact = numpy.concatenate([[0.0], numpy.cumsum(numpy.log(numpy.arange(1, 21)))])[small]
        large = numpy.maximum(x, 20)
        series = large * numpy.log(large) - large + 0.5 * numpy.log(2 * numpy.pi * large) + 1 / (12 * large) - 1 / (360 * large**3)
        return numpy.where(x < 20, exact, series)
    k = numpy.asarray(k, "f8")
    inside = k <= n
    ways = factorial(n) - factorial(numpy.where(inside, k, 0)) - factorial(numpy.where(inside, n - k, n))
    return numpy.where(inside, ways, -numpy.inf)


def minority(source, weight, neurons):
    """Of what neurons send, the share that has not the sign of the neuron's sum: by number and by weight."""
    sums = numpy.bincount(source, weight, neurons)
    wrong = (weight > 0) != (sums >= 0)[source]
    return wrong.mean(), numpy.abs(weight)[wrong].sum() / numpy.abs(weight).sum()


def report(name, source, weight, neurons, shuffles=10):
    source, weight = source[weight != 0], weight[weight != 0]
    excites = weight > 0
    degree = numpy.bincount(source, minlength=neurons)
    out = numpy.bincount(source[excites], minlength=neurons)
    sends = degree > 0
    one = sends & ((out == 0) | (out == degree))
    total, positive = len(weight), int(excites.sum())
    k = degree[sends]
    chance = (numpy.exp(choose(positive, k) - choose(total, k)) + numpy.exp(choose(total - positive, k) - choose(total, k))).sum()
    # A neuron with one synapse has one sign, whatever its sign.
    several = k > 1
    random = numpy.random.default_rng(1)
    drawn = [minority(source, numpy.abs(weight) * numpy.where(random.permutation(excites), 1, -1), neurons) for _ in range(shuffles)]
    number, share = minority(source, weight, neurons)
    print(
        f"{name}: {total} synapses, {100 * positive / total:.1f} % excite; {sends.sum()} neurons send (median {int(numpy.median(k))}), "
        f"{one.sum()} one sign (of those with several {int((one[sends] & several).sum())} of {int(several.sum())}), by chance {chance:.1f}; "
        f"against their neuron's sum {100 * number:.1f} % by number, {100 * share:.1f} % by weight, "
        f"by chance {100 * numpy.mean([d[0] for d in drawn]):.1f} and {100 * numpy.mean([d[1] for d in drawn]):.1f} %")
