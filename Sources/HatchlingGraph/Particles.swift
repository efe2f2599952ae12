/// The populations of particles. Used as tags of ``ParticleIndex``, so that a neuron's number cannot be taken for a hub's.
public protocol Population: Sendable {}

/// The n neurons.
public enum Neurons: Population {}
/// The d hubs, the paper's sparse synaptic layer; each with an excitatory and an inhibitory channel.
public enum Hubs: Population {}
/// The V token neurons, of which exactly one fires per token.
public enum Tokens: Population {}
/// The V readout particles; their sums are the logits.
public enum Readouts: Population {}

/// The number of a particle inside its population, from 0.
public struct ParticleIndex<Of: Population>: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
  public let index: Int

  @inlinable public init(_ index: Int) { self.index = index }
  @inlinable public init(integerLiteral value: Int) { index = value }

  @inlinable public static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}

public typealias NeuronIndex = ParticleIndex<Neurons>
public typealias HubIndex = ParticleIndex<Hubs>
public typealias TokenIndex = ParticleIndex<Tokens>
public typealias ReadoutIndex = ParticleIndex<Readouts>

/// The populations of particles, as values.
public enum ParticleKind: String, CaseIterable, Sendable {
  case neuron, hub, token, readout

  /// The letter before a particle's number in names: `n12`, `h3`, `t65`, `o10`.
  public var letter: Character {
    switch self {
    case .neuron: "n"
    case .hub: "h"
    case .token: "t"
    case .readout: "o"
    }
  }
}

/// Any particle of a graph.
public enum Particle: Hashable, Sendable {
  case neuron(NeuronIndex)
  case hub(HubIndex)
  case token(TokenIndex)
  case readout(ReadoutIndex)

  public init(_ kind: ParticleKind, _ index: Int) {
    switch kind {
    case .neuron: self = .neuron(NeuronIndex(index))
    case .hub: self = .hub(HubIndex(index))
    case .token: self = .token(TokenIndex(index))
    case .readout: self = .readout(ReadoutIndex(index))
    }
  }

  /// Reads a name such as `n12`; nil for anything else.
  public init?(name: some StringProtocol) {
    guard let kind = ParticleKind.allCases.first(where: { $0.letter == name.first }),
      let index = Int(name.dropFirst()), index >= 0
    else { return nil }
    self.init(kind, index)
  }

  /// `n12`, `h3`, `t65` or `o10`.
  public var name: String { "\(kind.letter)\(index)" }

  /// The number inside its population.
  public var index: Int {
    switch self {
    case .neuron(let neuron): neuron.index
    case .hub(let hub): hub.index
    case .token(let token): token.index
    case .readout(let readout): readout.index
    }
  }

  /// Its population.
  public var kind: ParticleKind {
    switch self {
    case .neuron: .neuron
    case .hub: .hub
    case .token: .token
    case .readout: .readout
    }
  }
}

/// A normaliser node: hubs send it their values, it answers with a mean and a gain (the gain alone in a centred graph).
public enum Normaliser: Hashable, Sendable {
  /// LN(emb), once per token.
  case embedding
  /// LN(a_h), one node per head.
  case attention(head: Int)
  /// LN(E y).
  case encoding
  /// LN(v + ·), only where the field has a residual.
  case residual
}
