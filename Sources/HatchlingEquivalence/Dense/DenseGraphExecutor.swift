import Foundation
import HatchlingCheckpoint
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A neuron graph as dense tensors: the oracle of graphs that come from no D_x, D_y and E.
public typealias DenseGraphEngine<Scalar: NetworkScalar> = Run<DenseGraphExecutor<Scalar>>

/// Executes the schedule of the direct form as plain products with G_x, G_y, F and σ_l as full matrices (docs/equations.md, "the direct
/// graph"); nothing is shared with the event-driven executor but the graph.
///
/// Where only some synapses learn, a mask keeps the others' σ at zero. Rows are worked on in blocks of 256 by the size of
/// the network alone. Cost of a token and layer: two passes over σ_l, one over each of G_x and G_y.
public final class DenseGraphExecutor<Scalar: NetworkScalar>: Executor {
  public let hyperparameters: Hyperparameters
  public let schedule: Schedule
  public internal(set) var logits: [Scalar]

  /// `(n, n + V)`, row = postsynaptic neuron.
  let synapsesX, synapsesY: Matrix<Scalar>
  /// Fᵀ, `(n + V, d)`, and W_out, `(d, V)`.
  let field, readout: Matrix<Scalar>
  /// κ of every normaliser in a graph without hubs, whose readout is R, `(n + V, V)`.
  let localGains: [Scalar]?
  /// Which plastic synapses exist, `(n, n + V)`, 1 or 0; nil for all.
  let mask: Matrix<UInt8>?
  let neurons: NeuronPopulation
  let fingerprint, compilation: String
  let workers: Workers

  /// σ_l as stored, `(n, n + V)`, row = postsynaptic neuron, damping done.
  var sigma: [Matrix<Scalar>]

  // One token: z `(n + V)`; x, x̃, y and what drives them `(n)`; A `(H, n + V)`; F A `(H, d)`; F y, F z `(d)`.
  var token = 0
  var position = 0
  let held: ParticleValues<Scalar>
  let z, driveX, x, rotated, attention, a, driveY, y, encoded, update, v: NumberStorage<Scalar>

  /// - Parameter memory: bytes of the machine, of which the matrices may take half.
  /// - Throws: `GraphError` for a graph that breaks its specification, ``DenseGraphError``. Cost: the matrices; pages of σ are touched when written.
  public init(
    _ graph: DirectGraph<Scalar>, workers: Workers = Workers(),
    memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws {
    guard graph.remainderX == nil, graph.remainderY == nil else { throw DenseGraphError.remainder }
    try DenseGraphError.check(
      graph.hyperparameters, bytesPerWeight: MemoryLayout<Scalar>.size, memory: memory)
    try graph.validate()
    (hyperparameters, neurons, self.workers) = (graph.hyperparameters, graph.neurons, workers)
    (fingerprint, compilation) = (graph.fingerprint, graph.compilation)
    schedule = .direct(layers: graph.layers, variant: graph.variant, hasHubs: graph.hasHubs)
    (field, readout, localGains) = (graph.field, graph.readout, graph.localGains)
    let (n, m) = (graph.neuronCount, graph.nodeCount)
    var (intoX, intoY) = (Matrix<Scalar>(rows: n, columns: m), Matrix<Scalar>(rows: n, columns: m))
    let (rowsX, rowsY) = (intoX.mutablePointer(), intoY.mutablePointer())
    graph.drivesX.forEachEntry { node, neuron, weight in rowsX[neuron * m + node] = weight }
    graph.drivesY.forEachEntry { neuron, node, weight in rowsY[neuron * m + node] = weight }
    (synapsesX, synapsesY) = (intoX, intoY)
    if case .lists(let lists) = graph.plastic {
      var present = Matrix<UInt8>(rows: n, columns: m)
      let rows = present.mutablePointer()
      for neuron in 0..<n {
        for place in lists.offsets[neuron]..<lists.offsets[neuron + 1] {
          rows[neuron * m + Int(lists.sources[place])] = 1
        }
      }
      mask = present
    } else {
      mask = nil
    }
    sigma = (0..<graph.layers).map { _ in Matrix(rows: n, columns: m) }
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    var held = ParticleValues<Scalar>(graph.hyperparameters)
    (z, driveX, x, rotated) = (held.keep(.z), held.keep(.driveX), held.keep(.x), held.keep(.rotated))
    (attention, a, driveY, y) = (held.keep(.attention), held.keep(.a), held.keep(.driveY), held.keep(.y))
    (encoded, update, v) = (held.keep(.encoded), held.keep(.update), held.keep(.v))
    held.check([.driveX, .x, .attention, .driveY, .encoded, .z, .v])
    self.held = held
  }

  var neuronCount: Int { hyperparameters.neurons }
  var nodeCount: Int { hyperparameters.neurons + hyperparameters.vocabulary }
  var hubCount: Int { hyperparameters.synapticDimension }

  public func begin(_ token: Int, at position: Int) {
    (self.token, self.position) = (token, position)
    x.base.update(repeating: 0, count: neuronCount)
  }

  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    preconditionFailure("the dense graph has no way to do: \(operation.summary)")
  }

  public func reset() {
    sigma = sigma.map { Matrix(rows: $0.rows, columns: $0.columns) }
    logits = [Scalar](repeating: 0, count: hyperparameters.vocabulary)
  }
}

extension Run {
  /// - Throws: as ``DenseGraphExecutor/init(_:workers:memory:)``.
  public convenience init<Number: NetworkScalar>(
    dense graph: DirectGraph<Number>, workers: Workers = Workers(),
    memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws where Engine == DenseGraphExecutor<Number> {
    self.init(try DenseGraphExecutor(graph, workers: workers, memory: memory))
  }
}

/// A graph that has no dense form here.
public enum DenseGraphError: InputError, Equatable {
  /// G_x, G_y and σ as full matrices would not fit into half of the machine's memory. Sizes in bytes.
  case tooLarge(needed: Int, limit: Int)
  case remainder

  public var description: String {
    switch self {
    case .tooLarge(let needed, let limit):
      "the dense tensors of the graph, with which it is compared, would need \(needed >> 20) MiB, more than half of this machine's memory (\(limit >> 20) MiB); use float, or a machine with more"
    case .remainder: "hubs carry what was cut from this graph; its dense tensors have no place for them"
    }
  }

  /// G_x, G_y, σ of all layers, and which of it exists. - Throws: ``tooLarge(needed:limit:)``.
  static func check(_ sizes: Hyperparameters, bytesPerWeight: Int, memory: Int) throws(DenseGraphError) {
    let entries = [sizes.neurons, sizes.neurons + sizes.vocabulary]
    let matrices = (entries + [sizes.layers + 2, bytesPerWeight]).checkedProduct ?? .max
    let (needed, overflow) = matrices.addingReportingOverflow(entries.checkedProduct ?? .max)
    guard !overflow, needed <= memory / 2 else {
      throw .tooLarge(needed: overflow ? .max : needed, limit: memory / 2)
    }
  }
}
