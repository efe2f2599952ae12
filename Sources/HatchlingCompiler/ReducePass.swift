import HatchlingGraph
import HatchlingNumerics

/// *reduce*: the weights of D_x, D_y and E, all that grows with n, are kept in 16 or 8 bits and computed from as they are.
/// Embedding and readout stay float32. The network is another one afterwards, a little: ask `verify` how much.
public enum ReducePass {
  /// Sparse projections stay as they are. Cost: one pass over the weights.
  public static func run(_ graph: CircuitGraph<Float>, to format: ReducedFormat) -> CircuitGraph<Float> {
    var result = graph
    result.drivesX = reduce(graph.drivesX, format)
    result.drivesY = reduce(graph.drivesY, format)
    result.encoder = reduce(graph.encoder, format)
    return result
  }

  private static func reduce(_ projection: Projection<Float>, _ format: ReducedFormat) -> Projection<Float> {
    guard case .dense(let matrix) = projection.storage else { return projection }
    return Projection(.reduced(ReducedRows(matrix, format)))
  }
}
