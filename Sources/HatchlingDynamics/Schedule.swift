import HatchlingModel

/// One thing that particles do: an element of a round.
public enum RoundOperation: Sendable, Hashable {
  /// The neuron of the token that is read fires.
  case fire(Quantity)
  /// Every particle whose value is not zero sends it over its synapses; what arrives is added up. Where `listening` is named, only
  /// particles that hold more than zero of it listen. Rules: `deliver`, `compete`.
  case send(
    Quantity, over: Connection, into: Quantity, listening: Quantity? = nil, counted: Traffic = .messages)
  /// X̃ travels back over the plastic synapses, one sum per head. Rule: `read`.
  case read(Quantity, into: Quantity)
  /// Hebb on every plastic synapse. Rule: `reweight`.
  case reweight(presynaptic: Quantity, postsynaptic: Quantity)
  /// Damping of every plastic synapse. Rule: `forget`.
  case forget
  /// Rule: `activateX`.
  case activateX
  /// Over partner edges. Rule: `rotate`.
  case rotate
  /// Rule: `activateY`, at neurons that listen.
  case activateY
  /// A normaliser hears `measuring` and answers; the named quantities are normalised. Rule: `normalise`.
  case normalise([Quantity], measuring: Quantity, by: NormaliserKind)
  /// A copy under another name, for what is normalised while the original stays.
  case copy(Quantity, to: Quantity)
  case add(Quantity, to: Quantity)
}

/// What a traversed synapse counts as.
public enum Traffic: Sendable, Hashable {
  /// A message from particle to particle.
  case messages
  /// A value sent to hubs for a gain or the readout.
  case broadcasts
  /// Nothing: the hubs follow along although no normaliser asks.
  case nothing
}

/// Which normaliser node answers.
public enum NormaliserKind: String, Sendable, Hashable, CaseIterable {
  /// LN(emb).
  case embedding
  /// LN(a_h), one node per head.
  case attention
  /// LN(E y).
  case encoding
  /// LN(v + ·).
  case residual
}

extension NormaliserKind {
  /// Its place among the gains of a network of `heads` heads: LN(emb), every head's LN(a_h), LN(E y), LN(v + ·).
  package func place(head: Int = 0, of heads: Int) -> Int {
    switch self {
    case .embedding: 0
    case .attention: 1 + head
    case .encoding: 1 + heads
    case .residual: 2 + heads
    }
  }
}

/// One of the four kinds of rounds of Table 1.
public enum RoundKind: Int, Sendable, Hashable, CaseIterable {
  /// 4l + 3: inference from parameters; z → X. Round −1 is of this kind.
  case drive = 3
  /// 4l: inference from state; X̃, σ → A.
  case read = 0
  /// 4l + 1: Hebbian reweighting; z, X̃ → σ.
  case reweight = 1
  /// 4l + 2: inference from parameters with competition; A → Y, and the new z.
  case gate = 2

  /// As in Table 1, l from 0.
  public var name: String {
    switch self {
    case .drive: "4l + 3"
    case .read: "4l"
    case .reweight: "4l + 1"
    case .gate: "4l + 2"
    }
  }

  public var purpose: String {
    switch self {
    case .drive: "inference from parameters"
    case .read: "inference from state"
    case .reweight: "Hebbian reweighting"
    case .gate: "inference from parameters, with competition"
    }
  }

  /// The number of the round that belongs to layer 1 … L: −1 … 4L − 2.
  public func number(inLayer layer: Int) -> Int {
    4 * (layer - 1) + (self == .drive ? -1 : rawValue)
  }
}

/// A round: particles communicate over synapses, then each computes alone. In round 4l + 2 the hop through the hubs to the new z
/// counts as computation: a round is a kernel, not a hop.
public struct Round: Sendable, Hashable {
  public let kind: RoundKind
  public let communication: [RoundOperation]
  public let computation: [RoundOperation]

  public var operations: [RoundOperation] { communication + computation }
}

/// The dynamics of a network as data: what happens when a token is read (Table 1, rounds −1 … 4L − 2). Everything that runs a network walks
/// a schedule; see ``Schedule/circuit(layers:variant:)`` and ``Schedule/direct(layers:variant:remainderX:remainderY:hasHubs:)``.
public struct Schedule: Sendable, Hashable {
  public let form: GraphForm
  /// L.
  public let layers: Int
  public let variant: Variant
  /// Before round −1: the token fires.
  public let input: [RoundOperation]
  /// The four rounds of one layer, in order: 4l − 1, 4l, 4l + 1, 4l + 2; every layer has the same.
  public let rounds: [Round]
  /// After round 4L − 2: the predictions.
  public let readout: [RoundOperation]

  /// All that one layer does.
  public var layerOperations: [RoundOperation] { rounds.flatMap(\.operations) }

  /// Whether hubs take part; otherwise a, v and ρ are A, z and σ themselves.
  public var hasHubs: Bool { readout.contains { $0.quantities.contains(.v) } }

  /// How many operations of a layer are done when a part of a round has ended.
  public func operations(through part: RoundPart) -> Int {
    var done = 0
    for round in rounds {
      done += round.communication.count
      if round.kind == part.kind && !part.hasComputed { return done }
      done += round.computation.count
      if round.kind == part.kind { return done }
    }
    return done
  }

  /// The quantities that particles hold in this form.
  public var quantities: Set<Quantity> {
    var found: Set<Quantity> = [.logits]
    if variant.normalises { found.insert(.gains) }
    for operation in input + layerOperations + readout { found.formUnion(operation.quantities) }
    return found
  }
}

/// A place between operations where one may look: after the communication of a round, or after its computation.
public struct RoundPart: Sendable, Hashable {
  public let kind: RoundKind
  public let hasComputed: Bool

  public static func communication(_ kind: RoundKind) -> RoundPart {
    RoundPart(kind: kind, hasComputed: false)
  }
  public static func end(_ kind: RoundKind) -> RoundPart { RoundPart(kind: kind, hasComputed: true) }
}

extension RoundOperation {
  /// The quantities that take part.
  var quantities: [Quantity] {
    switch self {
    case .fire(let quantity): [quantity]
    case .send(let from, _, let into, let listening, _): [from, into] + (listening.map { [$0] } ?? [])
    case .read(let from, let into): [from, into]
    case .reweight(let presynaptic, let postsynaptic): [presynaptic, postsynaptic]
    case .forget: []
    case .activateX: [.driveX, .x]
    case .rotate: [.x, .rotated]
    case .activateY: [.driveY, .x, .y]
    case .normalise(let values, let measured, _): values + [measured]
    case .copy(let from, let to), .add(let from, let to): [from, to]
    }
  }
}

extension Schedule {
  /// The operation that adds a quantity up from what is sent, whose channels can be told apart; nil for others.
  public func sender(of quantity: Quantity) -> (from: Quantity, connection: Connection, listening: Quantity?)?
  {
    for case .send(let from, let over, let into, let listening, _) in input + layerOperations + readout
    where into == quantity { return (from, over, listening) }
    return nil
  }

  /// Whether excitation and inhibition of a quantity can be told apart.
  public func isSum(_ quantity: Quantity) -> Bool { sender(of: quantity) != nil }
}
