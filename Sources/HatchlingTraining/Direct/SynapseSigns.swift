import HatchlingModel
import HatchlingNumerics

/// Which signs the synapses of a graph in training may take.
public enum SignRule: String, Codable, Sendable, CaseIterable {
  /// Any; a weight may pass through 0.
  case free
  /// A synapse that excites never inhibits, and the other way round.
  case synapse
  /// Dale's law: all synapses of G_x and G_y that leave a neuron have one sign. Those of token neurons, which stand for what comes from
  /// outside, keep the sign that each has.
  case neuron
}

/// The signs that synapses keep while they are trained. A weight that would change its sign stops at a zero that carries the sign it had,
/// so that weights alone say what they may become, in a checkpoint too.
struct SynapseSigns<Scalar: NetworkScalar> {
  let rule: SignRule
  /// 1 or −1 for every neuron, what it does to those that hear it; empty unless signs belong to neurons.
  private(set) var senders: [Scalar] = []
  /// 1 or −1 for every weight of G_x, G_y and both kinds of token synapses; empty where signs are free.
  private var signs: [Matrix<Scalar>] = []

  /// Signs as `weights` have them; where signs belong to neurons, every neuron takes that of the sum of all it sends, or what `senders`
  /// says, and weights of the other sign become 0.
  init(_ rule: SignRule, _ weights: inout DirectWeights<Scalar>, senders: [Scalar]? = nil) {
    self.rule = rule
    if rule == .neuron {
      self.senders = senders ?? Self.senders(of: weights)
      weights.weightsX = imposed(weights.weightsX, sources: weights.edgesX.sources)
      weights.weightsY = imposed(weights.weightsY, sources: weights.edgesY.sources)
    }
    takeSigns(of: weights)
  }

  private static func senders(of weights: DirectWeights<Scalar>) -> [Scalar] {
    var sums = [Scalar](repeating: 0, count: weights.neuronCount)
    for (edges, values) in [(weights.edgesX, weights.weightsX), (weights.edgesY, weights.weightsY)] {
      for place in 0..<edges.count { sums[Int(edges.sources[place])] += values.pointer[place] }
    }
    return sums.map { $0.sign == .minus ? -1 : 1 }
  }

  private func imposed(_ weights: Matrix<Scalar>, sources: [Int32]) -> Matrix<Scalar> {
    let values = weights.pointer
    return Matrix(
      rows: 1, columns: weights.count,
      (0..<weights.count).map { Self.kept(values[$0], senders[Int(sources[$0])]) })
  }

  /// The weight, or a zero of that sign.
  @inline(__always)
  private static func kept(_ weight: Scalar, _ sign: Scalar) -> Scalar { max(weight * sign, 0) * sign }

  /// Notes the signs that weights have, zeros included. Cost: one pass.
  mutating func takeSigns(of weights: DirectWeights<Scalar>) {
    guard rule != .free else { return }
    signs = weights.trained.prefix(4).map { $0.map { $0.sign == .minus ? -1 : 1 } }
  }

  /// Stops weights that an update has carried beyond 0. Cost: one pass over all synapses.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func hold(_ trained: inout [Matrix<Scalar>]) {
    for (index, sign) in signs.enumerated() {
      let (values, sign) = (trained[index].mutablePointer(), sign.pointer)
      for place in 0..<trained[index].count { values[place] = Self.kept(values[place], sign[place]) }
    }
  }

  /// Whether a synapse that grows at random from `source` inhibits: as its neuron does, else by lot where its sign is for good.
  func isInhibitory(from source: Int, _ random: inout SeededRandom) -> Bool {
    switch rule {
    case .free: false
    case .synapse: Bool.random(using: &random)
    case .neuron: senders[source] < 0
    }
  }
}

/// A synapse that grows, with weight 0.
struct GrownSynapse: Equatable {
  /// target · n + source.
  var place: Int
  var isInhibitory = false
}
