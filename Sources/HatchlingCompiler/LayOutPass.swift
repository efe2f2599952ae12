import HatchlingGraph
import HatchlingNumerics

/// *lay out*: storage fit for the engine. A projection that connects most of its two populations stays one dense block, so that a
/// neuron's synapses lie together; a sparse one becomes lists of synapses.
public enum LayOutPass {
  /// Below this fraction of all possible synapses, lists read fewer bytes than a block (a list spends 4 bytes on every
  /// column number and cannot be read in full vectors).
  public static let listsBelow = 0.25

  public static func run<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) -> CircuitGraph<Scalar> {
    var result = graph
    result.embedding = layOut(graph.embedding)
    result.drivesX = layOut(graph.drivesX)
    result.drivesY = layOut(graph.drivesY)
    result.encoder = layOut(graph.encoder)
    result.readout = layOut(graph.readout)
    result.takeCensus()
    return result
  }

  /// The same for a direct graph: G_x by presynaptic node, G_y by postsynaptic neuron.
  public static func run<Scalar: NetworkScalar>(_ graph: DirectGraph<Scalar>) -> DirectGraph<Scalar> {
    var result = graph
    result.drivesX = layOut(graph.drivesX)
    result.drivesY = layOut(graph.drivesY)
    return result
  }

  private static func layOut<Scalar: NetworkScalar>(_ projection: Projection<Scalar>) -> Projection<Scalar> {
    let possible = projection.rows * projection.columns
    let isSparse = Double(projection.count) < listsBelow * Double(possible)
    switch projection.storage {
    case .dense(let matrix): return isSparse ? Projection(.sparse(SparseRows(matrix))) : projection
    case .sparse(let lists): return isSparse ? projection : Projection(dense: lists.dense)
    case .reduced: return projection
    }
  }
}
