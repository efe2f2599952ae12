import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// *expand*: D F, the product that turns two hops through hubs into one synapse; the exact direct form.
public struct ExpandPass: CompilerPass {
  public let name = "expand"
  private let workers: Workers
  private let memory: Int

  /// - Parameter memory: bytes of the machine, of which G_x and G_y may take half.
  public init(workers: Workers, memory: Int) {
    (self.workers, self.memory) = (workers, memory)
  }

  /// - Throws: ``CompilerError/expansionTooLarge(needed:limit:)``.
  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    let circuit = try stage.circuit(for: self)
    let field = Self.field(circuit)
    let bytes = 2 * circuit.neuronCount * field.rows * MemoryLayout<Scalar>.size
    guard bytes <= memory / 2 else {
      throw CompilerError.expansionTooLarge(needed: bytes, limit: memory / 2)
    }
    let graph = Self.direct(
      circuit, field, drivesX: Projection(dense: Self.run(field, circuit.drivesX.dense, workers: workers)),
      drivesY: Projection(dense: Self.run(circuit.drivesY.dense, field, workers: workers)))
    return (.direct(graph), nil, "G_x = D_x F, G_y = D_y F")
  }

  /// The direct graph of a circuit with these synapses between nodes.
  static func direct<Scalar: NetworkScalar>(
    _ circuit: CircuitGraph<Scalar>, _ field: Matrix<Scalar>, drivesX: Projection<Scalar>,
    drivesY: Projection<Scalar>
  ) -> DirectGraph<Scalar> {
    var graph = DirectGraph(
      layers: circuit.layers, variant: circuit.variant, neurons: circuit.neurons,
      tokenCount: circuit.tokenCount, field: field, readout: circuit.readout.dense, drivesX: drivesX,
      drivesY: drivesY)
    graph.fingerprint = circuit.fingerprint
    return graph
  }

  /// All of `left · rightᵀ`, `(left rows, right rows)`, in blocks of rows on all threads. Cost: 2 d operations per entry.
  public static func run<Scalar: NetworkScalar>(
    _ left: Matrix<Scalar>, _ right: Matrix<Scalar>, workers: Workers
  ) -> Matrix<Scalar> {
    var product = Matrix<Scalar>(rows: left.rows, columns: right.rows)
    let target = product.mutablePointer()
    let (piece, d) = (128, left.columns)
    workers.run(blocks: (left.rows + piece - 1) / piece) { index in
      let first = index * piece
      BLAS.multiply(
        left.row(first), by: right.pointer, transposedB: true, into: target + first * right.rows,
        m: min(piece, left.rows - first), n: right.rows, k: d)
    }
    return product
  }

  /// Fᵀ = (P E')ᵀ, `(n + V, d)`: the rows of E, then those of the embedding, centred where the network normalises.
  static func field<Scalar: NetworkScalar>(_ centred: CircuitGraph<Scalar>) -> Matrix<Scalar> {
    let (encoder, embedding) = (centred.encoder.dense, centred.embedding.dense)
    var field = Matrix<Scalar>(rows: encoder.rows + embedding.rows, columns: encoder.columns)
    let target = field.mutablePointer()
    target.update(from: encoder.pointer, count: encoder.count)
    (target + encoder.count).update(from: embedding.pointer, count: embedding.count)
    return field
  }
}
