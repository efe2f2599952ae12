import HatchlingModel

/// What is fixed about every neuron, apart from its synapses.
public struct NeuronPopulation: Equatable, Sendable {
  /// One range of neurons per head; together they tile `0 ..< n`.
  public var heads: [Range<Int>]
  /// f_j, turns per token of each neuron's clock, `(n)`; zero for a clock that stands still.
  public var frequencies: [Float]
  /// u_j, `(n)`, 0 ≤ u ≤ 1: what each plastic weight of the neuron loses per token.
  public var damping: [Float]
  /// The other member of each neuron's rotating pair, `(n)`, −1 for none.
  public var partners: [Int32]
  /// Whether the neuron is the first member of its pair, the one that the other inhibits, `(n)`.
  public var leads: [Bool]
  /// Where only some neurons of a network are here: which. Heads may then be empty, and rows of projections are numbered from the first
  /// neuron that is here.
  public var part: NeuronPart?

  public var count: Int { frequencies.count }

  /// Whether any pair rotates.
  public var rotates: Bool { partners.contains { $0 >= 0 } && frequencies.contains { $0 != 0 } }
  /// Whether any plastic weight is damped.
  public var isDamped: Bool { damping.contains { $0 != 0 } }

  /// Neurons without clocks, partners or damping, in heads of the given sizes.
  public init(headSizes: [Int]) {
    var start = 0
    heads = headSizes.map { size in
      defer { start += size }
      return start..<(start + size)
    }
    frequencies = [Float](repeating: 0, count: start)
    damping = frequencies
    partners = [Int32](repeating: -1, count: start)
    leads = [Bool](repeating: false, count: start)
  }

  /// The head of a neuron. Cost: O(H).
  public func head(of neuron: NeuronIndex) -> Int {
    heads.firstIndex { $0.contains(neuron.index) } ?? 0
  }

  /// Makes `first` and `second` the two members of a pair. The edge first → second is excitatory, second → first inhibitory:
  /// (x₁, x₂) ↦ (x₁ cos φ₁ − x₂ sin φ₁, x₂ cos φ₂ + x₁ sin φ₂).
  public mutating func pair(_ first: NeuronIndex, _ second: NeuronIndex, frequency: Float) {
    partners[first.index] = Int32(second.index)
    partners[second.index] = Int32(first.index)
    leads[first.index] = true
    leads[second.index] = false
    frequencies[first.index] = frequency
    frequencies[second.index] = frequency
  }

  /// The same neurons with neuron `order[j]` as neuron j.
  func renumbered(_ order: [Int]) -> NeuronPopulation {
    var place = [Int32](repeating: 0, count: count)
    for (new, old) in order.enumerated() { place[old] = Int32(new) }
    var result = self
    result.frequencies = order.map { frequencies[$0] }
    result.damping = order.map { damping[$0] }
    result.partners = order.map { partners[$0] < 0 ? -1 : place[Int(partners[$0])] }
    result.leads = order.map { leads[$0] }
    return result
  }
}
