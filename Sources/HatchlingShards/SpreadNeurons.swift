import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Looks at the neurons of a whole network, of which every rank has some. All ranks look at the same at the same time, and see the same.
package struct SpreadNeurons: Sendable {
  package let ranks: Ranks
  /// The neurons of every rank, numbered in the whole network.
  package let ofRank: [Range<Int>]

  package init(_ shares: BlockShares, among ranks: Ranks) {
    self.ranks = ranks
    ofRank = (0..<ranks.size).map { shares.neurons(of: $0) }
  }

  /// Those that are here.
  package var own: Range<Int> { ofRank[ranks.rank] }

  /// A row of every neuron of every rank, `(n, width)`. Cost: all of it passes between ranks.
  ///
  /// - Parameter rows: of the neurons that are here.
  package func whole<Value: BitwiseCopyable>(_ rows: [Value], width: Int = 1) -> [Value] {
    ranks.collect(rows, counts: ofRank.map { $0.count * width })
  }

  /// Numbers of some neurons, in the order in which they are asked for.
  ///
  /// - Parameter read: the numbers of those at the given places, whose neurons are here.
  package func values<Value: BitwiseCopyable>(
    of neurons: [Int], _ read: (_ places: [Int]) -> [Value]
  ) -> [Value] {
    let places = ofRank.map { range in neurons.indices.filter { range.contains(neurons[$0]) } }
    let all = ranks.collect(read(places[ranks.rank]), counts: places.map(\.count))
    precondition(all.count == neurons.count, "\(neurons.count - all.count) neurons that no rank has")
    var result = all
    for (place, value) in zip(places.joined(), all) { result[place] = value }
    return result
  }

  /// Who fired on any rank.
  ///
  /// - Parameter here: those that are here, counted from the first that is here.
  package func firing<Scalar>(_ here: Firing<Scalar>) -> Firing<Scalar> {
    let first = Int32(own.lowerBound)
    let counts = ranks.collect([here.neurons.count], counts: Array(repeating: 1, count: ranks.size))
    return Firing(
      neurons: ranks.collect(here.neurons.map { $0 + first }, counts: counts),
      values: ranks.collect(here.values, counts: counts))
  }

  /// What one rank knows, or says of a neuron that is here.
  package func knows(_ neuron: Int, _ read: (_ neuron: Int) -> Bool) -> Bool {
    ranks.sum([own.contains(neuron) && read(neuron - own.lowerBound) ? 1 : 0])[0] > 0
  }
}

extension Ranks {
  /// What all ranks have, one after the other; `counts` numbers of each, known to all.
  package func collect<Value: BitwiseCopyable>(_ own: [Value], counts: [Int]) -> [Value] {
    precondition(
      own.count == counts[rank], "\(own.count) numbers of rank \(rank), which was to have \(counts[rank])")
    let places = counts.indices.map { counts[..<$0].reduce(0, +) }
    return [Value](unsafeUninitializedCapacity: counts.reduce(0, +)) { all, count in
      count = all.count
      guard let base = all.baseAddress, count > 0 else { return }
      own.withUnsafeBufferPointer {
        (base + places[rank]).update(from: $0.baseAddress ?? UnsafePointer(base), count: $0.count)
      }
      gather(base, counts: counts, places: places)
    }
  }

  /// In rounds where MPI, which counts bytes in 32 bits, could not carry all at once.
  private func gather<Value: BitwiseCopyable>(
    _ all: UnsafeMutablePointer<Value>, counts: [Int], places: [Int]
  ) {
    let size = MemoryLayout<Value>.stride
    let most = max(1, (1 << 30) / (size * self.size))
    guard counts.contains(where: { $0 > most }) else {
      return gather(
        all, counts: counts.map { Int32($0 * size) }, places: places.map { Int32($0 * size) })
    }
    let buffer = UnsafeMutablePointer<Value>.allocate(capacity: most * self.size)
    defer { buffer.deallocate() }
    for first in stride(from: 0, to: counts.max() ?? 0, by: most) {
      let parts = counts.map { max(0, min(most, $0 - first)) }
      (buffer + rank * most).update(from: all + places[rank] + first, count: parts[rank])
      gather(
        buffer, counts: parts.map { Int32($0 * size) },
        places: parts.indices.map { Int32($0 * most * size) })
      for (rank, part) in parts.enumerated() {
        (all + places[rank] + first).update(from: buffer + rank * most, count: part)
      }
    }
  }
}
