import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// σ of one layer from nodes that reach every neuron: all of them in a complete G_s. Nodes get a column when they are first written, so that memory follows what was written: layer 1
/// only ever writes token columns.
///
/// Columns lie in panels of 64, one row per neuron: a neuron that fires touches one short run of memory per panel, and threads take
/// panels, of which no two share a sum.
final class PlasticPanels<Scalar: NetworkScalar>: DirectPlasticity {
  private static var width: Int { Scalar.panelWidth }
  private let neurons: Int
  private let nodes: Int
  /// The nodes whose synapses these are.
  private let sources: Range<Int>
  /// The name of the weights in a saved state.
  private let name: String
  /// The column of each node, −1 before it was first written; and the node of each column.
  private var columnOfNode: [Int32]
  private var nodeOfColumn: [Int32] = []
  private var panels: [NumberStorage<Scalar>] = []
  /// By column: z `(columns)` and A `(H, columns)`, filled up to whole panels.
  private var trace: [Scalar] = []
  private var attention: [Scalar] = []

  init(neurons: Int, nodes: Int, sources: Range<Int>, name: String) {
    self.neurons = neurons
    self.nodes = nodes
    self.sources = sources
    self.name = name
    columnOfNode = [Int32](repeating: -1, count: nodes)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func exchange(
    _ exchange: PlasticExchange<Scalar>, reads: Bool, writes: Bool, workers: Workers
  ) -> Int {
    let fired = exchange.parts.last?.upperBound ?? 0
    guard fired > 0 else { return 0 }
    if writes { addColumns(exchange.trace) }
    let width = Self.width
    let columns = panels.count * width
    trace = [Scalar](repeating: 0, count: columns)
    for (column, node) in nodeOfColumn.enumerated() { trace[column] = exchange.trace[Int(node)] }
    attention = [Scalar](repeating: 0, count: columns * exchange.heads)
    trace.withUnsafeBufferPointer { trace in
      attention.withUnsafeMutableBufferPointer { attention in
        guard let trace = trace.baseAddress, let attention = attention.baseAddress else { return }
        workers.run(blocks: panels.count) { panel in
          let isWritten = (0..<width).contains { trace[panel * width + $0] != 0 }
          let z = writes && isWritten ? trace + panel * width : nil
          for head in 0..<exchange.heads {
            let places = exchange.places(of: head)
            Scalar.exchangePanel(
              panels[panel].base, exchange.fired + places.lowerBound, exchange.sent + places.lowerBound,
              keep: exchange.keep.map { $0 + places.lowerBound }, count: places.count, z: z,
              into: reads ? attention + head * columns + panel * width : nil)
          }
        }
        guard reads else { return }
        for head in 0..<exchange.heads {
          for (column, node) in nodeOfColumn.enumerated() {
            exchange.attention[head * nodes + Int(node)] = attention[head * columns + column]
          }
        }
      }
    }
    return writes ? fired * traces(exchange) : 0
  }

  private func traces(_ exchange: PlasticExchange<Scalar>) -> Int {
    if sources.count == nodes { return exchange.traces }
    return sources.count { exchange.trace[$0] != 0 }
  }

  private func addColumns(_ trace: UnsafePointer<Scalar>) {
    for node in sources where trace[node] != 0 && columnOfNode[node] < 0 { addColumn(of: node) }
  }

  private func addColumn(of node: Int) {
    if nodeOfColumn.count == panels.count * Self.width {
      panels.append(NumberStorage(zeros: neurons * Self.width))
    }
    columnOfNode[node] = Int32(nodeOfColumn.count)
    nodeOfColumn.append(Int32(node))
  }

  private func place(_ column: Int, _ neuron: Int) -> UnsafeMutablePointer<Scalar> {
    panels[column / Self.width].base + neuron * Self.width + column % Self.width
  }

  func place(node: Int, neuron: Int, adding: Bool) -> UnsafeMutablePointer<Scalar>? {
    guard sources.contains(node), (0..<neurons).contains(neuron) else { return nil }
    if adding && columnOfNode[node] < 0 { addColumn(of: node) }
    return columnOfNode[node] < 0 ? nil : place(Int(columnOfNode[node]), neuron)
  }

  func forEachWeight(_ body: (Int, Int, Scalar) -> Void) {
    let columns = nodeOfColumn.indices.sorted { nodeOfColumn[$0] < nodeOfColumn[$1] }
    for neuron in 0..<neurons {
      for column in columns { body(Int(nodeOfColumn[column]), neuron, place(column, neuron).pointee) }
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addThroughHubs(_ field: Matrix<Scalar>, into rho: UnsafeMutablePointer<Scalar>, workers: Workers) {
    let (d, width) = (field.columns, Self.width)
    // Rows of F in the order of the columns.
    var rows = Matrix<Scalar>(rows: panels.count * width, columns: d)
    let target = rows.mutablePointer()
    for (column, node) in nodeOfColumn.enumerated() {
      (target + column * d).update(from: field.row(Int(node)), count: d)
    }
    let piece = 128
    workers.run(blocks: (neurons + piece - 1) / piece) { index in
      let first = index * piece
      for (panel, storage) in panels.enumerated() {
        BLAS.multiply(
          storage.base + first * width, by: rows.row(panel * width), into: rho + first * d,
          m: min(piece, neurons - first), n: d, k: width, beta: 1)
      }
    }
  }

  func reset() {
    columnOfNode = [Int32](repeating: -1, count: nodes)
    nodeOfColumn = []
    panels = []
  }

  func save(layer: Int) -> [String: StateArray] {
    let columns = nodeOfColumn.count
    var result: [String: StateArray] = [
      "columns.\(layer)": .int(Matrix(rows: 1, columns: 1, [Int64(columns)]))
    ]
    guard columns > 0 else { return result }
    var weights = Matrix<Scalar>(rows: neurons, columns: columns)
    let target = weights.mutablePointer()
    for neuron in 0..<neurons {
      for column in 0..<columns { target[neuron * columns + column] = place(column, neuron).pointee }
    }
    result["\(name).\(layer)"] = .make(weights)
    result["nodes.\(layer)"] = .int(Matrix(rows: 1, columns: columns, nodeOfColumn.map { Int64($0) }))
    return result
  }

  func restoration(from state: SavedState, layer: Int) throws -> () -> Void {
    let columns = Int(try state.integers("columns.\(layer)", rows: 1, columns: 1)[0, 0])
    guard (0...sources.count).contains(columns) else {
      throw StateError.wrongShape(
        array: "columns.\(layer)", saved: "\(columns) columns", expected: "at most \(sources.count)")
    }
    var written: [Int32] = []
    let weights: Matrix<Scalar> =
      columns > 0
      ? try state.matrix("\(name).\(layer)", rows: neurons, columns: columns)
      : Matrix(rows: neurons, columns: 0)
    if columns > 0 {
      let saved = try state.integers("nodes.\(layer)", rows: 1, columns: columns)
      written = saved.elements.map { Int(exactly: $0).map(sources.contains) == true ? Int32($0) : -1 }
      guard !written.contains(-1), Set(written).count == columns else {
        throw StateError.wrongShape(
          array: "nodes.\(layer)", saved: "not \(columns) different nodes", expected: "nodes below \(nodes)")
      }
    }
    return {
      self.reset()
      for node in written { self.addColumn(of: Int(node)) }
      for neuron in 0..<self.neurons {
        for column in 0..<columns {
          self.place(column, neuron).pointee = weights.pointer[neuron * columns + column]
        }
      }
    }
  }
}
