/// Synapses without weights, as one list per row: incoming lists where rows are targets.
///
/// Invariants: `offsets` has `rows + 1` ascending entries from 0 to `sources.count`; the sources of a row ascend strictly.
public struct EdgeLists: Equatable, Sendable {
  /// The sources of target t are `sources[offsets[t] ..< offsets[t + 1]]`.
  public var offsets: [Int]
  public var sources: [Int32]

  public var targetCount: Int { offsets.count - 1 }
  public var count: Int { sources.count }

  public init(offsets: [Int], sources: [Int32]) {
    (self.offsets, self.sources) = (offsets, sources)
  }

  /// Position of an edge in `sources`, by binary search; nil where there is none.
  public func position(target: Int, source: Int) -> Int? {
    let (position, isThere) = search(target, source)
    return isThere ? position : nil
  }

  /// Where the edge is, or where it would go.
  func search(_ target: Int, _ source: Int) -> (position: Int, isThere: Bool) {
    var (low, high) = (offsets[target], offsets[target + 1])
    while low < high {
      let middle = (low + high) / 2
      if Int(sources[middle]) < source { low = middle + 1 } else { high = middle }
    }
    return (low, low < offsets[target + 1] && Int(sources[low]) == source)
  }

  /// Adds an edge at the position that ``search(_:_:)`` found. Cost: moves what lies behind it.
  mutating func insert(_ source: Int, of target: Int, at position: Int) {
    sources.insert(Int32(source), at: position)
    for next in target + 1..<offsets.count { offsets[next] += 1 }
  }

  /// Takes out the edge at a position. Cost: moves what lies behind it.
  mutating func remove(at position: Int, of target: Int) {
    sources.remove(at: position)
    for next in target + 1..<offsets.count { offsets[next] -= 1 }
  }

  /// The lists without token neurons, where every token (nodes `neurons ..< nodes`) reaches every target; nil where one does not.
  public func withoutCompleteTokens(neurons: Int, nodes: Int) -> EdgeLists? {
    let tokens = nodes - neurons
    var rest = EdgeLists(offsets: [0], sources: [])
    for target in 0..<targetCount {
      let end = offsets[target + 1] - tokens
      // Sources ascend and lie below `nodes`: the last V are the tokens if they begin with the first one.
      guard end >= offsets[target], Int(sources[end]) == neurons else { return nil }
      rest.sources += sources[offsets[target]..<end]
      rest.offsets.append(rest.sources.count)
    }
    return rest
  }

  /// What is wrong with the lists, nil when the invariants hold. `row`, `column` and `columns` are the words for the two ends.
  public func violation(
    sourceCount: Int, row: String = "neuron", column: String = "node", columns: String = "sources"
  ) -> String? {
    guard offsets.first == 0, offsets.last == sources.count else { return "offsets do not cover the edges" }
    // All offsets first: a list is looked at only where it lies inside the array.
    for target in 0..<targetCount where offsets[target] > offsets[target + 1] {
      return "offsets descend at \(row) \(target)"
    }
    for target in 0..<targetCount {
      for position in offsets[target]..<offsets[target + 1] {
        guard sources[position] >= 0, Int(sources[position]) < sourceCount else {
          return "\(row) \(target) names \(column) \(sources[position]) of \(sourceCount)"
        }
        guard position == offsets[target] || sources[position - 1] < sources[position] else {
          return "\(columns) of \(row) \(target) do not ascend"
        }
      }
    }
    return nil
  }
}
