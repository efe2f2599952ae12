import HatchlingGraph
import HatchlingNumerics

/// The screens of D_x and D_y of one graph, and what they are asked with: the field, and one normalised read per head.
final class DriveScreens<Scalar: NetworkScalar>: Sendable {
  private let x: RowScreen
  private let y: RowScreen
  private let queryX: RowScreen.Query
  private let queriesY: [RowScreen.Query]

  /// Nil where there is nothing to screen: other numbers than float32, or lists of synapses.
  convenience init?(_ graph: CircuitGraph<Scalar>, workers: Workers) {
    guard let x = Self.screen(graph.drivesX, workers), let y = Self.screen(graph.drivesY, workers) else {
      return nil
    }
    self.init(x, y, heads: graph.headCount)
  }

  private init(_ x: RowScreen, _ y: RowScreen, heads: Int) {
    (self.x, self.y) = (x, y)
    queryX = RowScreen.Query(d: x.d)
    queriesY = (0..<heads).map { _ in RowScreen.Query(d: x.d) }
  }

  /// The same screens, to be asked by another stream.
  func another() -> DriveScreens { DriveScreens(x, y, heads: queriesY.count) }

  private static func screen(_ projection: Projection<Scalar>, _ workers: Workers) -> RowScreen? {
    let rows: Matrix<Float>
    switch projection.storage {
    case .dense(let matrix as Matrix<Float>): rows = matrix
    // 8-bit weights are no longer than their screen would be.
    case .reduced(let reduced) where reduced.format != .int8: rows = reduced.dense
    default: return nil
    }
    return RowScreen(rows.pointer, rows: rows.rows, d: rows.columns, workers: workers)
  }

  func askX(_ field: UnsafePointer<Scalar>) { queryX.ask(Self.floats(field), x) }
  func askY(_ heard: UnsafePointer<Scalar>, _ head: Int) { queriesY[head].ask(Self.floats(heard), y) }

  var isUsableX: Bool { queryX.isUsable }
  func isUsableY(_ head: Int) -> Bool { queriesY[head].isUsable }

  /// Lists the neurons of a range whose drive over D_x may be positive; returns how many.
  func listX(
    _ neurons: Range<Int>, sums: UnsafeMutablePointer<Int32>, into possible: UnsafeMutablePointer<Int32>
  ) -> Int { x.list(neurons, queryX, sums: sums, into: possible) }

  /// Of the listed neurons of a head, those whose drive over D_y may be positive; returns how many.
  func listY(
    _ list: UnsafePointer<Int32>, _ count: Int, _ head: Int, sums: UnsafeMutablePointer<Int32>,
    into possible: UnsafeMutablePointer<Int32>
  ) -> Int { y.list(list, count: count, queriesY[head], sums: sums, into: possible) }

  /// Screens exist for float32 only, so `Scalar` is `Float` here.
  private static func floats(_ values: UnsafePointer<Scalar>) -> UnsafePointer<Float> {
    UnsafeRawPointer(values).assumingMemoryBound(to: Float.self)
  }
}
