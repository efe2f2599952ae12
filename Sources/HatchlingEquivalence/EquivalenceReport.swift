/// The quantities that both formulations have, in the order in which a token computes them.
public enum Quantity: String, CaseIterable, Sendable {
  case x, a, y, v, rho, logits
}

/// The first place where the two formulations part.
public struct Divergence: Equatable, Sendable {
  /// Position of the token, from 0.
  public let token: Int
  /// 1 … L; L for logits.
  public let layer: Int
  /// The round of Table 1 that made the quantity: 4l − 1 for x, 4l for a, 4l + 1 for ρ, 4l + 2 for y and v; 4L − 2 for logits.
  public let round: Int
  public let quantity: Quantity
  /// Where the difference is largest.
  public let index: Int
}

/// How far one quantity differed, over all tokens and layers.
public struct QuantityDifference: Equatable, Sendable {
  public let quantity: Quantity
  public internal(set) var maxAbsolute = 0.0
  public internal(set) var maxRelative = 0.0
  /// How many vectors were compared.
  public internal(set) var comparisons = 0
}

/// The verdict of stepping two formulations side by side.
public struct EquivalenceReport: Equatable, Sendable {
  public internal(set) var tokens = 0
  public let tolerance: Double
  public internal(set) var differences: [QuantityDifference]
  /// Whether the network has hubs; else a, v and ρ are A, z and σ.
  public internal(set) var hasHubs = true
  public internal(set) var firstDivergence: Divergence?
  /// Fraction of tokens after which both predict the same next token.
  public internal(set) var top1Agreement = 0.0
  /// Mean KL(tensor ‖ graph) in nats.
  public internal(set) var meanKL = 0.0
  /// Mean cross-entropy in nats of tokens 1 …; NaN with a single token.
  public internal(set) var lossTensor = Double.nan
  public internal(set) var lossGraph = Double.nan

  /// A quantity as this network calls it.
  public func name(of quantity: Quantity) -> String {
    switch quantity {
    case .a where !hasHubs: "A"
    case .v where !hasHubs: "z"
    case .rho where !hasHubs: "sigma"
    default: quantity.rawValue
    }
  }

  /// True only if something was compared for every quantity and nothing differed beyond the tolerance.
  public var agree: Bool {
    tokens > 0 && firstDivergence == nil
      && differences.allSatisfy { $0.comparisons > 0 && $0.maxRelative <= tolerance }
  }

  init(tolerance: Double) {
    self.tolerance = tolerance
    differences = Quantity.allCases.map { QuantityDifference(quantity: $0) }
  }
}
