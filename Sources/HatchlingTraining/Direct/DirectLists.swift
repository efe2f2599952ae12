import HatchlingGraph
import HatchlingNumerics

/// Edge lists at a fixed place in memory, as kernels read them.
struct PlacedLists {
  let offsets: NumberStorage<Int>
  let sources: NumberStorage<Int32>
  var rows: Int { offsets.count - 1 }
  var count: Int { sources.count }

  init(_ lists: EdgeLists) {
    offsets = NumberStorage(zeros: lists.offsets.count)
    sources = NumberStorage(zeros: lists.count)
    lists.offsets.withUnsafeBufferPointer { offsets.base.update(from: $0.baseAddress!, count: $0.count) }
    lists.sources.withUnsafeBufferPointer {
      if let first = $0.baseAddress { sources.base.update(from: first, count: $0.count) }
    }
  }
}

/// The same synapses by their other end, with a copy of their weights.
struct TurnedLists<Scalar: NetworkScalar> {
  let lists: PlacedLists
  /// Where each weight lies among the incoming lists'.
  private let places: NumberStorage<Int>
  let weights: NumberStorage<Scalar>

  /// - Parameter targets: only synapses to these.
  init(_ incoming: EdgeLists, sourceCount: Int, targets: Range<Int>) {
    var starts = [Int](repeating: 0, count: sourceCount + 1)
    let all = incoming.offsets[targets.lowerBound]..<incoming.offsets[targets.upperBound]
    for place in all { starts[Int(incoming.sources[place]) + 1] += 1 }
    for source in 0..<sourceCount { starts[source + 1] += starts[source] }
    var turned = EdgeLists(offsets: starts, sources: [Int32](repeating: 0, count: all.count))
    var from = [Int](repeating: 0, count: all.count)
    var next = starts
    for target in targets {
      for place in incoming.offsets[target]..<incoming.offsets[target + 1] {
        let source = Int(incoming.sources[place])
        turned.sources[next[source]] = Int32(target)
        from[next[source]] = place
        next[source] += 1
      }
    }
    lists = PlacedLists(turned)
    places = NumberStorage(zeros: from.count)
    for index in 0..<from.count { places.base[index] = from[index] }
    weights = NumberStorage(zeros: all.count)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func refresh(from incoming: Matrix<Scalar>) {
    let (values, target) = (incoming.pointer, weights.base)
    for index in 0..<places.count { target[index] = values[places.base[index]] }
  }
}

/// The wiring of a pass: where synapses are, by both ends.
struct DirectWiring<Scalar: NetworkScalar> {
  let x, y: PlacedLists
  let turnedX: TurnedLists<Scalar>
  /// One for all heads, or one per head where A itself is needed.
  let turnedY: [TurnedLists<Scalar>]

  init(_ weights: DirectWeights<Scalar>) {
    (x, y) = (PlacedLists(weights.edgesX), PlacedLists(weights.edgesY))
    let n = weights.sizes.neurons
    turnedX = TurnedLists(weights.edgesX, sourceCount: n, targets: 0..<n)
    let parts = weights.keepsPlastic ? weights.neurons.heads : [0..<n]
    turnedY = parts.map { TurnedLists(weights.edgesY, sourceCount: n, targets: $0) }
  }

  func refresh(from weights: DirectWeights<Scalar>) {
    turnedX.refresh(from: weights.weightsX)
    for part in turnedY { part.refresh(from: weights.weightsY) }
  }
}
