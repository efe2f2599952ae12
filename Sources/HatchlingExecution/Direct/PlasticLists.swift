import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// G_s as incoming lists, in the form that the kernels read; shared by the layers.
final class PlasticListLayout: Sendable {
  /// `(n + 1)`; the synapses into neuron j are `offsets[j] ..< offsets[j + 1]`.
  let offsets: NumberStorage<Int64>
  let sources: NumberStorage<Int32>
  let lists: EdgeLists

  init(_ lists: EdgeLists) {
    self.lists = lists
    offsets = NumberStorage(zeros: lists.offsets.count)
    for (index, offset) in lists.offsets.enumerated() { offsets.base[index] = Int64(offset) }
    sources = NumberStorage(zeros: lists.count)
    for (index, source) in lists.sources.enumerated() { sources.base[index] = source }
  }
}

/// σ of one layer of a G_s that is not complete: a weight per synapse, in the order of the incoming lists. Pages that nobody wrote take
/// no memory.
final class PlasticLists<Scalar: NetworkScalar>: DirectPlasticity {
  private let layout: PlasticListLayout
  private let nodes: Int
  private var weights: NumberStorage<Scalar>
  /// A of each part of each head, `(parts, n + V)`, where heads have several parts.
  private var partial: NumberStorage<Scalar>?

  init(_ layout: PlasticListLayout, nodes: Int) {
    self.layout = layout
    self.nodes = nodes
    weights = NumberStorage(zeros: layout.lists.count)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func exchange(
    _ exchange: PlasticExchange<Scalar>, reads: Bool, writes: Bool, workers: Workers
  ) -> Int {
    let (parts, perHead) = (exchange.parts.count, exchange.partsPerHead)
    let updates = NumberStorage<Int>(zeros: parts)
    if perHead > 1 && partial == nil { partial = NumberStorage(zeros: parts * nodes) }
    let sums = perHead > 1 ? partial?.base : exchange.attention
    workers.run(blocks: parts) { part in
      let places = exchange.parts[part]
      let sum = reads ? sums.map { $0 + part * nodes } : nil
      if perHead > 1 { sum?.update(repeating: 0, count: nodes) }
      updates.base[part] = Scalar.exchangeLists(
        layout.offsets.base, layout.sources.base, weights.base, exchange.fired + places.lowerBound,
        exchange.sent + places.lowerBound, keep: exchange.keep.map { $0 + places.lowerBound },
        count: places.count, z: writes ? exchange.trace : nil, into: sum)
    }
    if reads && perHead > 1, let sums {
      for head in 0..<exchange.heads {
        let parts = head * perHead..<(head + 1) * perHead
        guard let read = BlockSums.add(sums, blocks: parts, width: nodes) else { continue }
        (exchange.attention + head * nodes).update(from: read, count: nodes)
      }
    }
    return (0..<parts).reduce(0) { $0 + updates.base[$1] }
  }

  func place(node: Int, neuron: Int, adding: Bool) -> UnsafeMutablePointer<Scalar>? {
    guard (0..<layout.lists.targetCount).contains(neuron) else { return nil }
    return layout.lists.position(target: neuron, source: node).map { weights.base + $0 }
  }

  func forEachWeight(_ body: (Int, Int, Scalar) -> Void) {
    for neuron in 0..<layout.lists.targetCount {
      for position in layout.lists.offsets[neuron]..<layout.lists.offsets[neuron + 1] {
        body(Int(layout.lists.sources[position]), neuron, weights.base[position])
      }
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addThroughHubs(_ field: Matrix<Scalar>, into rho: UnsafeMutablePointer<Scalar>, workers: Workers) {
    let d = field.columns
    let neurons = layout.lists.targetCount
    let piece = 128
    workers.run(blocks: (neurons + piece - 1) / piece) { index in
      for neuron in index * piece..<min((index + 1) * piece, neurons) {
        let row = rho + neuron * d
        for position in Int(layout.offsets.base[neuron])..<Int(layout.offsets.base[neuron + 1]) {
          let weight = weights.base[position]
          let hubs = field.row(Int(layout.sources.base[position]))
          if weight != 0 { for hub in 0..<d { row[hub] += weight * hubs[hub] } }
        }
      }
    }
  }

  func reset() { weights = NumberStorage(zeros: layout.lists.count) }

  func save(layer: Int) -> [String: StateArray] {
    let count = layout.lists.count
    guard count > 0 else { return [:] }
    // A copy: the run goes on while the state is kept.
    let copy = NumberStorage<Scalar>(zeros: count)
    copy.base.update(from: weights.base, count: count)
    return ["plastic.\(layer)": .make(Matrix(rows: 1, columns: count, storage: copy))]
  }

  func restoration(from state: SavedState, layer: Int) throws -> () -> Void {
    let count = layout.lists.count
    guard count > 0 else { return {} }
    let saved: Matrix<Scalar> = try state.matrix("plastic.\(layer)", rows: 1, columns: count)
    return {
      self.reset()
      self.weights.base.update(from: saved.pointer, count: count)
    }
  }
}
