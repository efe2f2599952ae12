import HatchlingDynamics
import HatchlingGraph
import HatchlingNumerics

/// Sums over synapses, for both layouts of a projection.
extension CircuitExecutor {
  /// What every neuron of a range hears from all hubs.
  func deliver(
    _ projection: Projection<Scalar>, to neurons: Range<Int>, from hubs: UnsafePointer<Scalar>,
    into drives: UnsafeMutablePointer<Scalar>, _ d: Int
  ) {
    switch projection.storage {
    case .dense(let matrix):
      Scalar.dotRows(matrix.row(neurons.lowerBound), rows: neurons.count, hubs, d: d, into: drives)
    case .sparse(let lists):
      for (offset, neuron) in neurons.enumerated() { drives[offset] = Self.hear(lists, neuron, hubs) }
    case .reduced(let rows): rows.dot(neurons, Self.floats(hubs), into: Self.floats(drives))
    }
  }

  /// What each of the listed neurons hears from all hubs.
  func deliver(
    _ projection: Projection<Scalar>, toList list: UnsafePointer<Int32>, _ count: Int,
    from hubs: UnsafePointer<Scalar>, into drives: UnsafeMutablePointer<Scalar>, _ d: Int
  ) {
    switch projection.storage {
    case .dense(let matrix): Scalar.dotList(matrix.pointer, list, count: count, hubs, d: d, into: drives)
    case .sparse(let lists):
      for place in 0..<count { drives[place] = Self.hear(lists, Int(list[place]), hubs) }
    case .reduced(let rows): rows.dot(list, count: count, Self.floats(hubs), into: Self.floats(drives))
    }
  }

  /// What the listed neurons send to all hubs.
  func send(
    _ projection: Projection<Scalar>, from list: UnsafePointer<Int32>, _ values: UnsafePointer<Scalar>,
    _ count: Int, into hubs: UnsafeMutablePointer<Scalar>, _ d: Int
  ) {
    switch projection.storage {
    case .dense(let matrix): Scalar.addRows(matrix.pointer, list, values, count: count, d: d, into: hubs)
    case .sparse(let lists):
      for place in 0..<count {
        let neuron = Int(list[place])
        for position in lists.offsets[neuron]..<lists.offsets[neuron + 1] {
          hubs[Int(lists.columns[position])] += values[place] * lists.weights[position]
        }
      }
    case .reduced(let rows): rows.add(list, Self.floats(values), count: count, into: Self.floats(hubs))
    }
  }

  /// Reduced weights exist in float32 networks only, so `Scalar` is `Float` here.
  private static func floats(_ values: UnsafePointer<Scalar>) -> UnsafePointer<Float> {
    UnsafeRawPointer(values).assumingMemoryBound(to: Float.self)
  }

  private static func floats(_ values: UnsafeMutablePointer<Scalar>) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(values).assumingMemoryBound(to: Float.self)
  }

  private static func hear(_ lists: SparseRows<Scalar>, _ row: Int, _ hubs: UnsafePointer<Scalar>) -> Scalar {
    var sum: Scalar = 0
    for position in lists.offsets[row]..<lists.offsets[row + 1] {
      sum += lists.weights[position] * hubs[Int(lists.columns[position])]
    }
    return sum
  }

  func add(_ values: UnsafePointer<Scalar>, to sums: UnsafeMutablePointer<Scalar>, _ count: Int) {
    for index in 0..<count { sums[index] += values[index] }
  }

  func add(
    _ values: UnsafePointer<Scalar>, times factor: Scalar, to sums: UnsafeMutablePointer<Scalar>, _ count: Int
  ) {
    for index in 0..<count { sums[index] += values[index] * factor }
  }
}
