import CKernels

/// A code of spikes for the neuron that integrates and fires, as its kernel takes it.
package struct SpikeTable<Scalar: NetworkScalar>: Sendable {
  /// Input, threshold and weight of every sub-step, `(sub-steps, 3)`.
  package let numbers: NumberStorage<Scalar>
  package let substeps: Int
  /// The most spikes of a value.
  package let most: Int
  /// Whether a part of the input comes in every sub-step, instead of all of it before the first.
  package let flows: Bool
  /// Whether a value may fire on both channels.
  package let firesBothWays: Bool
  /// In units of the scale: what is smaller is silent, what is larger is cut short.
  package let least: Scalar
  package let largest: Scalar

  package init(
    _ substeps: [(input: Scalar, threshold: Scalar, weight: Scalar)], most: Int, flows: Bool,
    firesBothWays: Bool, least: Scalar, largest: Scalar
  ) {
    numbers = NumberStorage(zeros: 3 * substeps.count)
    for (number, substep) in substeps.enumerated() {
      numbers.base[3 * number] = substep.input
      numbers.base[3 * number + 1] = substep.threshold
      numbers.base[3 * number + 2] = substep.weight
    }
    (self.substeps, self.most, self.flows) = (substeps.count, most, flows)
    (self.firesBothWays, self.least, self.largest) = (firesBothWays, least, largest)
  }

  /// Of one sub-step.
  @inline(__always)
  package subscript(_ number: Int) -> (input: Scalar, threshold: Scalar, weight: Scalar) {
    (numbers.base[3 * number], numbers.base[3 * number + 1], numbers.base[3 * number + 2])
  }
}

extension NetworkScalar {
  /// What scratch of ``fireSpikes(_:scales:count:_:scratch:first:sent:particles:weights:ends:)`` holds for `count` neurons: two numbers, and three
  /// words.
  package static func spikeScratch(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// A block of neurons fires: integrate and fire with reset by subtraction, each neuron by itself, the same bits as one sub-step after the other.
  ///
  /// - Parameters:
  ///   - values: u, `(count)`; `scales` s, each above 0.
  ///   - scratch: `2 · spikeScratch(count)` numbers and `3 · spikeScratch(count)` words.
  ///   - first: the number of the first neuron.
  ///   - sent: what all spikes of a neuron say together, `(count)`.
  ///   - particles: who fired, sub-step by sub-step, and `weights`, what each spike says; room for the most spikes of all.
  ///   - ends: how many spikes there are by the end of every sub-step.
  /// - Returns: how many values were cut short, and whether all are finite.
  package static func fireSpikes(
    _ values: Numbers, scales: Numbers, count: Int, _ table: SpikeTable<Self>,
    scratch: (numbers: Results, words: UnsafeMutablePointer<Int64>), first: Int32, sent: Results,
    particles: Places, weights: Results, ends: UnsafeMutablePointer<Int>
  ) -> (saturated: Int, isFinite: Bool) {
    var code = hatchling_spike_code(
      substeps: table.substeps, most: Int32(clamping: table.most), flows: table.flows ? 1 : 0,
      // What flows in may drive a membrane either way.
      both: table.firesBothWays || table.flows ? 1 : 0, limited: table.most < table.substeps ? 1 : 0,
      least: Double(table.least), largest: Double(table.largest))
    var report = hatchling_spike_report()
    ends.withMemoryRebound(to: Int64.self, capacity: table.substeps) {
      hatchling_fire_spikes(
        isFloat, values, scales, count, &code, table.numbers.base, scratch.numbers, scratch.words, first,
        sent, particles, weights, $0, &report)
    }
    return (Int(report.saturated), report.is_finite)
  }
}
