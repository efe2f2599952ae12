/// What the compiler makes of a network's direct form: which synapses are kept, and what makes up for the others.
public struct DirectOptions: Equatable, Sendable {
  /// Which entries of G_x and of G_y become synapses, by magnitude, both signs and all heads together.
  public enum Kept: Equatable, Sendable {
    /// All: the exact form.
    case all
    /// All of at least β.
    case atLeast(Double)
    /// The strongest M of each matrix.
    case strongest(Int)
    /// M of each matrix, the same number into every neuron (M / n, rounded down).
    case strongestPerNeuron(Int)
  }

  /// Which synapses carry σ.
  public enum Plastic: String, CaseIterable, Sendable {
    /// Those of G_x that are kept: G_s ⊆ G_x.
    case kept
    /// Every node to every neuron.
    case complete
  }

  public var kept: Kept
  /// Whether only excitatory synapses, the positive entries, are ranked and kept.
  public var excitatoryOnly: Bool
  /// Whether token → neuron synapses are ranked with the rest; otherwise they are all kept and not counted in M.
  public var prunesTokens: Bool
  public var plastic: Plastic
  /// Whether what is kept of a neuron's synapses is multiplied to have the Euclidean norm of all of them.
  public var rescales: Bool
  /// R: hubs that carry the best approximation of rank R, 0 … d. Kept are then the strongest of what the hubs leave over; with R = d
  /// nothing is left over, and the strongest of G only carry σ.
  public var hubs: Int

  public init(
    kept: Kept = .all, excitatoryOnly: Bool = false, prunesTokens: Bool = false, plastic: Plastic = .kept,
    rescales: Bool = false, hubs: Int = 0
  ) {
    (self.kept, self.excitatoryOnly, self.prunesTokens) = (kept, excitatoryOnly, prunesTokens)
    (self.plastic, self.rescales, self.hubs) = (plastic, rescales, hubs)
  }

  /// Everything kept: the direct form that equals the tensors.
  public var isExact: Bool { kept == .all }

  /// A fixed spelling for the identity of saved states; empty for the exact form.
  public var spelling: String {
    var words: [String] = []
    switch kept {
    case .all: return ""
    case .atLeast(let threshold): words.append("threshold=\(threshold)")
    case .strongest(let count): words.append("edges=\(count)")
    case .strongestPerNeuron(let count): words.append("edges=\(count) per-neuron")
    }
    if excitatoryOnly { words.append("excitatory-only") }
    if prunesTokens { words.append("prune-tokens") }
    words.append("plastic=\(plastic.rawValue)")
    if rescales { words.append("rescale") }
    if hubs > 0 { words.append("hubs=\(hubs)") }
    return words.joined(separator: " ")
  }

  /// - Throws: ``CompilerError/badPruning(_:)`` naming the option that makes no sense. `hubCount` is d.
  package func check(hubCount: Int) throws(CompilerError) {
    switch kept {
    case .atLeast(let threshold) where !(threshold >= 0 && threshold.isFinite):
      throw .badPruning("the threshold \(threshold) is not 0 or a positive number")
    case .strongest(let count) where count < 0, .strongestPerNeuron(let count) where count < 0:
      throw .badPruning("\(count) edges: a number of edges is not negative")
    default: break
    }
    guard (0...hubCount).contains(hubs) else {
      throw .badPruning("\(hubs) hubs for what was cut: the network has \(hubCount), so 0 to \(hubCount)")
    }
    guard kept != .all || (hubs == 0 && !rescales && !excitatoryOnly) else {
      throw .badPruning("nothing is cut, so there is nothing to rank, to rescale or to carry through hubs")
    }
    guard hubs == 0 || !rescales else {
      throw .badPruning("with hubs for what was cut, weights are not rescaled; choose one of the two")
    }
  }
}
