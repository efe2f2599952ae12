import HatchlingDynamics
import HatchlingNumerics

/// Who fired, listens and answers, block by block: each block writes its own part, from its first neuron on, while blocks run side by side.
final class FiringLists<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Neurons with x̃ ≠ 0, and x̃.
  let fired: NumberStorage<Int32>
  let sent: NumberStorage<Scalar>
  /// Neurons with x > 0.
  let listening: NumberStorage<Int32>
  /// Neurons with y ≠ 0, and y.
  let answering: NumberStorage<Int32>
  let answers: NumberStorage<Scalar>
  /// Counts, one per block.
  let firedCount: NumberStorage<Int>
  let listeningCount: NumberStorage<Int>
  let activeY: NumberStorage<Int>
  /// Synapses over which neurons that listen heard something, where it takes a walk to know.
  let messages: NumberStorage<Int>
  /// Plastic synapses of the neurons that fired.
  let reads: NumberStorage<Int>
  /// Plastic synapses of every neuron.
  private let plastic: Degrees

  init(blocks: Int, neurons: Int, plastic: Degrees) {
    self.plastic = plastic
    fired = NumberStorage(zeros: neurons)
    sent = NumberStorage(zeros: neurons)
    listening = NumberStorage(zeros: neurons)
    answering = NumberStorage(zeros: neurons)
    answers = NumberStorage(zeros: neurons)
    firedCount = NumberStorage(zeros: blocks)
    listeningCount = NumberStorage(zeros: blocks)
    activeY = NumberStorage(zeros: blocks)
    messages = NumberStorage(zeros: blocks)
    reads = NumberStorage(zeros: blocks)
  }

  /// Lists the neurons of a block that listen and those that fired; `turned` gives x̃.
  @inline(__always)
  func collect(
    _ block: NeuronBlock, _ index: Int, _ x: UnsafePointer<Scalar>, turned: (Int) -> Scalar
  ) {
    let first = block.neurons.lowerBound
    var counts = (listening: 0, fired: 0)
    for neuron in block.neurons {
      if x[neuron] > 0 {
        listening.base[first + counts.listening] = Int32(neuron)
        counts.listening += 1
      }
      let value = turned(neuron)
      if value != 0 {
        fired.base[first + counts.fired] = Int32(neuron)
        sent.base[first + counts.fired] = value
        counts.fired += 1
      }
    }
    note(counts, of: block, index)
  }

  /// Notes how many neurons a block has listed.
  func note(_ counts: (listening: Int, fired: Int), of block: NeuronBlock, _ index: Int) {
    listeningCount.base[index] = counts.listening
    firedCount.base[index] = counts.fired
    reads.base[index] = plastic.total(fired.base + block.neurons.lowerBound, counts.fired)
  }

  /// Of the neurons that listen those whose value (x or y) is not zero, in order, and the values. Cost: one look at each that listens.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func firing(_ held: NumberStorage<Scalar>, in blocks: [NeuronBlock]) -> Firing<Scalar> {
    let most = total(listeningCount)
    var values: [Scalar] = []
    let neurons = [Int32](unsafeUninitializedCapacity: most) { neurons, filled in
      values = [Scalar](unsafeUninitializedCapacity: most) { values, count in
        for (index, block) in blocks.enumerated() {
          let list = listening.base + block.neurons.lowerBound
          for place in 0..<listeningCount.base[index] {
            let value = held.base[Int(list[place])]
            neurons[count] = list[place]
            values[count] = value
            count += value != 0 ? 1 : 0
          }
        }
        filled = count
      }
    }
    return Firing(neurons: neurons, values: values)
  }

  /// The sum over all blocks, or over those of a head.
  func total(_ counts: NumberStorage<Int>, _ blocks: Range<Int>? = nil) -> Int {
    var sum = 0
    for block in blocks ?? 0..<counts.count { sum += counts.base[block] }
    return sum
  }
}
