import HatchlingModel
import HatchlingNumerics

/// What to look at, where and when, while a network runs.
///
/// A probe sees values: what it was given stays what it was when the network goes on. Attaching one changes no bit of any result. Rounds that
/// nobody looks into stay fused.
public struct Probe: Sendable, Hashable {
  public enum Subject: Sendable, Hashable {
    /// What the particles of a population hold; all of them, or those at the given places (row by row where heads have rows).
    case quantity(Quantity, channel: Channel = .net, entries: [Int]? = nil)
    /// The neurons whose x or y is not zero, with it; after a layer's last round, `.end(.gate)`.
    case firing(Quantity)
    /// Plastic weights in the co-rotating frame; all of them, `(n, presynaptic)`, or those of the given synapses.
    case plasticWeights([PlasticSynapse]? = nil)
  }

  public var subject: Subject
  /// Layers 1 … L; nil for all.
  public var layers: Set<Int>?
  /// When, inside the layer.
  public var part: RoundPart

  public init(_ subject: Subject, after part: RoundPart, layers: Set<Int>? = nil) {
    self.subject = subject
    self.part = part
    self.layers = layers
  }
}

/// What a probe saw.
public struct ProbeSample<Scalar: NetworkScalar>: Sendable {
  /// Position of the token.
  public let position: Int
  /// −1 … 4L − 2, as in Table 1.
  public let round: Int
  /// 1 … L.
  public let layer: Int
  /// In the order that was asked for.
  public let values: [Scalar]
  /// Whose values they are, where ``Probe/Subject/firing(_:)`` was asked for.
  public let neurons: [Int32]?
}

/// A probe that is attached to a run.
public struct ProbeHandle: Sendable, Hashable {
  let number: Int
}

/// A probe that cannot be attached.
public enum ProbeError: InputError, Equatable {
  case unknownQuantity(String, form: String, known: [String])
  /// The layer has not computed it by then, or no longer holds it.
  case notYet(String, round: String)
  case noSuchLayer(Int, layers: Int)
  case noSuchEntry(Int, quantity: String, count: Int)
  case noSuchSynapse(presynaptic: Int, postsynaptic: Int)

  public var description: String {
    switch self {
    case .unknownQuantity(let name, let form, let known):
      "'\(name)' cannot be watched in the \(form); there are \(known.joined(separator: ", "))"
    case .notYet(let name, let round): "'\(name)' is not there after round \(round)"
    case .noSuchLayer(let layer, let layers): "there is no layer \(layer); the network has 1 … \(layers)"
    case .noSuchEntry(let entry, let quantity, let count):
      "\(quantity) has no entry \(entry); it has \(count), counted from 0"
    case .noSuchSynapse(let presynaptic, let postsynaptic):
      "there is no plastic synapse from \(presynaptic) to neuron \(postsynaptic)"
    }
  }
}
