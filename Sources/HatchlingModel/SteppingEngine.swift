import HatchlingNumerics

/// What one token did to a network. Arrays hold one count per layer, in order.
public struct StepActivity: Equatable, Sendable {
  /// Neurons with x > 0.
  public var activeX: [Int]
  /// Neurons with y > 0.
  public var activeY: [Int]
  /// Synapses traversed by a non-zero value and delivered to a particle that listens; 0 for the tensor form.
  public var messages = 0
  /// Hebbian weight changes.
  public var updates = 0
  /// Values exchanged between hubs and normalisers.
  public var broadcasts = 0
  /// Spikes that were fired; 0 where particles send numbers.
  public var spikes = 0

  /// Of a token that is yet to be read, with room for every layer.
  package init(layers: Int) {
    self.init(activeX: [], activeY: [])
    activeX.reserveCapacity(layers)
    activeY.reserveCapacity(layers)
  }

  public init(activeX: [Int], activeY: [Int], messages: Int = 0, updates: Int = 0, broadcasts: Int = 0) {
    (self.activeX, self.activeY, self.messages) = (activeX, activeY, messages)
    (self.updates, self.broadcasts) = (updates, broadcasts)
  }
}

/// The quantities of one layer of one token, in tensor units, as both formulations report them.
public struct LayerQuantities<Scalar: NetworkScalar>: Sendable {
  /// x, `(n)`.
  public var x: [Scalar] = []
  /// a before its LayerNorm, `(H, d)`; A of a graph without hubs, `(H, n + V)`.
  public var a: [Scalar] = []
  /// y, `(n)`.
  public var y: [Scalar] = []
  /// v after the layer, `(d)`; z of a graph without hubs, `(n + V)`.
  public var v: [Scalar] = []

  public init() {}
}

/// A network that reads one token at a time and carries its state along. Tensor and graph engines conform.
public protocol SteppingEngine<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  var hyperparameters: Hyperparameters { get }
  /// How many tokens have been read: the position of the next one.
  var position: Int { get }
  /// The prediction after the last token, `(V)`; zeros before the first.
  var logits: [Scalar] { get }

  /// Reads one token. - Throws: ``TokenError`` when `token` is not below V.
  @discardableResult
  func step(_ token: Int) throws -> StepActivity

  /// As ``step(_:)``, and returns the quantities of every layer. Cost: copies of `L · (2n + Hd + d)` numbers.
  func stepRecording(_ token: Int) throws -> (activity: StepActivity, layers: [LayerQuantities<Scalar>])

  /// ρ of layer `1 … L` as stored (co-rotating frame, damping settled), `(n, d)`: row i is column i of the paper's ρ.
  /// Of a graph without hubs σ, `(n, n + V)`.
  func attentionState(layer: Int) -> Matrix<Scalar>

  /// Back to an empty state at position 0.
  func reset()

  /// Everything that a later ``restore(_:)`` needs to go on bit for bit.
  func save() -> SavedState
  /// Goes on from a saved state. - Throws: ``StateError`` when it belongs to another model, engine, form, precision or variant.
  func restore(_ state: SavedState) throws
}

/// A token that is not in the alphabet.
public struct TokenError: InputError, Equatable {
  public let token, vocabulary: Int
  /// Where in the stream.
  public let position: Int

  public init(token: Int, vocabulary: Int, position: Int) {
    (self.token, self.vocabulary, self.position) = (token, vocabulary, position)
  }

  public var description: String {
    "token \(token) at offset \(position) is not below the alphabet size \(vocabulary); use a model with a larger alphabet"
  }
}
