import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A graph as an executor of any schedule sees it: wires by their ends' numbers, whatever form the graph has.
public protocol ExecutableGraph<Scalar>: Sendable {
  associatedtype Scalar: NetworkScalar

  var schedule: Schedule { get }
  var hyperparameters: Hyperparameters { get }
  var neurons: NeuronPopulation { get }
  /// Whether normalisers answer with a gain alone, because F or the weights are centred.
  var answersWithGainAlone: Bool { get }
  /// Values that one use of a normaliser takes back and forth.
  var broadcastsPerAnswer: Int { get }
  /// κ of normalisers that hear what they normalise, by their places; nil where they hear hubs.
  var localGains: [Scalar]? { get }
  /// Presynaptic particles of the plastic synapses: d hubs or n + V nodes.
  var plasticSourceCount: Int { get }
  /// How many particles carry what pruning cut from G_x and from G_y.
  var remainderCounts: (x: Int, y: Int) { get }
  var fingerprint: String { get }

  /// - Throws: `GraphError` when the graph breaks its specification.
  func validate() throws(GraphError)
  /// Calls `body(presynaptic, postsynaptic, signed weight)` for every synapse of a connection.
  func forEachWire(of connection: Connection, _ body: (Int, Int, Scalar) -> Void)
  /// The signed weight from one particle to another, 0 where there is no synapse.
  func weight(of connection: Connection, from presynaptic: Int, to postsynaptic: Int) -> Scalar
  func hasPlasticSynapse(from presynaptic: Int, to neuron: Int) -> Bool
  /// What a plastic state is as ρ `(n, d)`: itself in the circuit and without hubs, F σ in the direct form. `weights` is `(n, sources)`.
  func throughHubs(_ weights: Matrix<Scalar>) -> Matrix<Scalar>
}

extension ExecutableGraph {
  /// Entries of a quantity, rows of heads included.
  func count(of quantity: Quantity) -> Int {
    quantity.count(in: hyperparameters, remainders: remainderCounts)
  }

  /// The particles that each normaliser of a kind hears: a row of hubs, the neurons of a head, or all nodes.
  func pools(of kind: NormaliserKind, among count: Int) -> [Range<Int>] {
    guard localGains == nil else { return kind == .attention ? neurons.heads : [0..<count] }
    let d = hyperparameters.synapticDimension
    return stride(from: 0, to: count, by: d).map { $0..<$0 + d }
  }

  /// κ² of a normaliser; 1 where it hears hubs.
  func strength(of kind: NormaliserKind, head: Int) -> Double {
    guard let localGains else { return 1 }
    let gain = Double(localGains[kind.place(head: head, of: neurons.heads.count)])
    return gain * gain
  }
}

extension CircuitGraph: ExecutableGraph {
  public var schedule: Schedule { .circuit(layers: layers, variant: variant) }
  public var answersWithGainAlone: Bool { isCentred }
  public var broadcastsPerAnswer: Int { 2 * hubCount }
  public var localGains: [Scalar]? { nil }
  public var plasticSourceCount: Int { hubCount }
  public var remainderCounts: (x: Int, y: Int) { (0, 0) }

  /// The projection of a connection, and whether its rows are the presynaptic particles.
  private func projection(_ connection: Connection) -> (Projection<Scalar>, rowsAreSources: Bool)? {
    switch connection {
    case .embedding: (embedding, true)
    case .x: (drivesX, false)
    case .y: (drivesY, false)
    case .encoder: (encoder, true)
    case .readout: (readout, true)
    default: nil
    }
  }

  public func forEachWire(of connection: Connection, _ body: (Int, Int, Scalar) -> Void) {
    guard let (projection, rowsAreSources) = projection(connection) else { return }
    projection.forEachEntry { row, column, weight in
      rowsAreSources ? body(row, column, weight) : body(column, row, weight)
    }
  }

  public func weight(of connection: Connection, from presynaptic: Int, to postsynaptic: Int) -> Scalar {
    guard let (projection, rowsAreSources) = projection(connection) else { return 0 }
    return rowsAreSources ? projection[presynaptic, postsynaptic] : projection[postsynaptic, presynaptic]
  }

  public func hasPlasticSynapse(from presynaptic: Int, to neuron: Int) -> Bool {
    (0..<hubCount).contains(presynaptic) && (0..<neuronCount).contains(neuron)
      && plastic.contains(HubIndex(presynaptic), NeuronIndex(neuron))
  }

  public func throughHubs(_ weights: Matrix<Scalar>) -> Matrix<Scalar> { weights }
}

extension DirectGraph: ExecutableGraph {
  public var schedule: Schedule {
    .direct(
      layers: layers, variant: variant, remainderX: remainderX != nil, remainderY: remainderY != nil,
      hasHubs: hasHubs)
  }
  public var answersWithGainAlone: Bool { true }
  public var broadcastsPerAnswer: Int { 1 }
  public var plasticSourceCount: Int { nodeCount }
  public var remainderCounts: (x: Int, y: Int) { (remainderX?.hubs ?? 0, remainderY?.hubs ?? 0) }

  /// A dense connection through hubs, rows presynaptic, and whether the matrix is stored the other way round.
  private func hubs(_ connection: Connection) -> (Matrix<Scalar>?, isTransposed: Bool) {
    switch connection {
    case .field: (field, false)
    case .readout: (hasHubs ? readout : nil, false)
    case .traceReadout: (hasHubs ? nil : readout, false)
    case .toRemainderX: (remainderX?.encoder, false)
    case .toRemainderY: (remainderY?.encoder, false)
    case .fromRemainderX: (remainderX?.decoder, true)
    case .fromRemainderY: (remainderY?.decoder, true)
    default: (nil, false)
    }
  }

  public func forEachWire(of connection: Connection, _ body: (Int, Int, Scalar) -> Void) {
    switch connection {
    case .x: drivesX.forEachEntry { node, neuron, weight in body(node, neuron, weight) }
    case .y: drivesY.forEachEntry { neuron, node, weight in body(node, neuron, weight) }
    default:
      let (matrix, isTransposed) = hubs(connection)
      guard let matrix else { return }
      for row in 0..<matrix.rows {
        for column in 0..<matrix.columns {
          let weight = matrix.pointer[row * matrix.columns + column]
          isTransposed ? body(column, row, weight) : body(row, column, weight)
        }
      }
    }
  }

  public func weight(of connection: Connection, from presynaptic: Int, to postsynaptic: Int) -> Scalar {
    switch connection {
    case .x: return drivesX[presynaptic, postsynaptic]
    case .y: return drivesY[postsynaptic, presynaptic]
    default:
      let (matrix, isTransposed) = hubs(connection)
      guard let matrix else { return 0 }
      return isTransposed ? matrix[postsynaptic, presynaptic] : matrix[presynaptic, postsynaptic]
    }
  }

  public func hasPlasticSynapse(from presynaptic: Int, to neuron: Int) -> Bool {
    (0..<nodeCount).contains(presynaptic) && (0..<neuronCount).contains(neuron)
      && plastic.contains(presynaptic, NeuronIndex(neuron))
  }

  public func throughHubs(_ weights: Matrix<Scalar>) -> Matrix<Scalar> {
    guard hasHubs else { return weights }
    var rho = Matrix<Scalar>(rows: neuronCount, columns: hubCount)
    BLAS.multiply(
      weights.pointer, by: field.pointer, into: rho.mutablePointer(), m: neuronCount, n: hubCount,
      k: nodeCount)
    return rho
  }
}
