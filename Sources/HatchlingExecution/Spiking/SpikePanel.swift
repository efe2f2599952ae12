import HatchlingNumerics

/// Postsynaptic particles that spikes reach together, and the synapses over which they do. Every particle adds up what arrives in the order of
/// the spikes.
struct SpikePanel<Scalar: NetworkScalar>: Sendable {
  let targets: Range<Int>
  /// The row of presynaptic particles that is heard, where heads have rows of their own.
  let head: Int
  let synapses: Synapses

  enum Synapses: Sendable {
    /// `(sources, targets)`; 0 where there is none, which is nowhere if they are complete.
    case dense(NumberStorage<Scalar>, isComplete: Bool)
    case sparse(SpikeLists<Scalar>)
  }

  /// Delivers to all targets.
  func add(_ spikes: SpikeSequence<Scalar>, into sum: UnsafeMutablePointer<Scalar>) {
    switch synapses {
    case .dense(let rows, _):
      Scalar.addRows(
        rows.base, spikes.particles, spikes.weights, count: spikes.count, d: targets.count, into: sum)
    case .sparse(let lists): lists.add(spikes, width: targets.count, into: sum)
    }
  }

  /// Delivers to targets with `listens` > 0; others get 0. Returns how many synapses led to one that listens.
  ///
  /// All targets are reached, and what arrives at those that do not listen is dropped: that is faster than to pick those that do, and counts as
  /// nothing.
  func add(
    _ spikes: SpikeSequence<Scalar>, listening listens: UnsafePointer<Scalar>,
    into sum: UnsafeMutablePointer<Scalar>
  ) -> Int {
    let width = targets.count
    let heard: Int
    switch synapses {
    case .dense(let rows, let isComplete):
      Scalar.addRows(rows.base, spikes.particles, spikes.weights, count: spikes.count, d: width, into: sum)
      heard = Self.countHeard(spikes, rows.base, listens, width, isComplete: isComplete)
    case .sparse(let lists): heard = lists.add(spikes, width: width, listening: listens, into: sum)
    }
    Self.drop(sum, listens, width)
    return heard
  }

  /// How many synapses of dense rows lead to who listens.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func countHeard(
    _ spikes: SpikeSequence<Scalar>, _ rows: UnsafePointer<Scalar>, _ listens: UnsafePointer<Scalar>,
    _ targets: Int, isComplete: Bool
  ) -> Int {
    var (heard, listeners) = (0, 0)
    for target in 0..<targets { listeners &+= listens[target] > 0 ? 1 : 0 }
    if isComplete { return spikes.count * listeners }
    for spike in 0..<spikes.count {
      let row = rows + Int(spikes.particles[spike]) * targets
      for target in 0..<targets where listens[target] > 0 && row[target] != 0 { heard &+= 1 }
    }
    return heard
  }

  /// What arrives at targets that do not listen.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func drop(
    _ sums: UnsafeMutablePointer<Scalar>, _ listens: UnsafePointer<Scalar>, _ targets: Int
  ) {
    for target in 0..<targets { sums[target] = listens[target] > 0 ? sums[target] : 0 }
  }
}

/// Spikes in the order in which they travel.
struct SpikeSequence<Scalar: NetworkScalar> {
  /// Who fired, `(count)`.
  let particles: UnsafePointer<Int32>
  /// What each spike says, signed, `(count)`.
  let weights: UnsafePointer<Scalar>
  let count: Int
}

/// The synapses of a panel of which few exist: lists of targets, and rows for sources that reach most of the panel.
struct SpikeLists<Scalar: NetworkScalar>: Sendable {
  /// Of source s the synapses at `offsets[s] ..< offsets[s + 1]`; targets are counted in the panel.
  let offsets: NumberStorage<UInt32>
  let targets: NumberStorage<UInt16>
  let weights: NumberStorage<Scalar>
  /// Of source s the number of its row, −1 where it has a list.
  let rowOf: NumberStorage<Int32>
  /// `(sources that have one, targets)`; 0 where there is no synapse.
  let rows: NumberStorage<Scalar>
  /// Synapses of each row.
  let degrees: [Int]

  /// A panel must not have more targets.
  static var widest: Int { 1 << 16 }

  /// - Parameters:
  ///   - degrees: of every source, how many of the `width` targets it reaches.
  init(degrees: [Int32], width: Int) {
    offsets = NumberStorage(zeros: degrees.count + 1)
    rowOf = NumberStorage(zeros: degrees.count)
    var (listed, inRows) = (0, [Int]())
    for (source, degree) in degrees.enumerated() {
      // From here on a row is read faster than a list.
      let isRow = 4 * Int(degree) >= width && degree > 0
      rowOf.base[source] = isRow ? Int32(inRows.count) : -1
      if isRow { inRows.append(Int(degree)) } else { listed += Int(degree) }
      offsets.base[source + 1] = UInt32(listed)
    }
    self.degrees = inRows
    targets = NumberStorage(zeros: listed)
    weights = NumberStorage(zeros: listed)
    rows = NumberStorage(zeros: inRows.count * width)
  }

  /// Puts a synapse in its place. - Parameter filled: of every source, how many synapses of its list are there; counted on.
  func place(source: Int, target: Int, weight: Scalar, width: Int, filled: inout [UInt32]) {
    let row = Int(rowOf.base[source])
    guard row < 0 else {
      rows.base[row * width + target] = weight
      return
    }
    let place = Int(offsets.base[source] + filled[source])
    (targets.base[place], weights.base[place]) = (UInt16(target), weight)
    filled[source] += 1
  }

  func add(_ spikes: SpikeSequence<Scalar>, width: Int, into sum: UnsafeMutablePointer<Scalar>) {
    Self.add(spikes, over: self, width, into: sum)
  }

  /// Products are rounded before they are added, as where every event is by itself: so that other simulators, given the same spikes, fire the same.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func add(
    _ spikes: SpikeSequence<Scalar>, over lists: SpikeLists, _ width: Int,
    into sum: UnsafeMutablePointer<Scalar>
  ) {
    let (offsets, targets, weights) = (lists.offsets.base, lists.targets.base, lists.weights.base)
    let (rowOf, rows) = (lists.rowOf.base, lists.rows.base)
    for spike in 0..<spikes.count {
      let (source, said) = (Int(spikes.particles[spike]), spikes.weights[spike])
      let row = Int(rowOf[source])
      if row >= 0 {
        let own = rows + row * width
        for target in 0..<width { sum[target] += said * own[target] }
      } else {
        for place in Int(offsets[source])..<Int(offsets[source + 1]) {
          sum[Int(targets[place])] += said * weights[place]
        }
      }
    }
  }

  /// Returns how many synapses led to a target with `listens` > 0.
  func add(
    _ spikes: SpikeSequence<Scalar>, width: Int, listening listens: UnsafePointer<Scalar>,
    into sum: UnsafeMutablePointer<Scalar>
  ) -> Int {
    add(spikes, width: width, into: sum)
    return Self.countHeard(spikes, self, width, listens)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func countHeard(
    _ spikes: SpikeSequence<Scalar>, _ lists: SpikeLists, _ width: Int, _ listens: UnsafePointer<Scalar>
  ) -> Int {
    let (offsets, targets, rowOf) = (lists.offsets.base, lists.targets.base, lists.rowOf.base)
    var (heard, listeners) = (0, 0)
    for target in 0..<width { listeners &+= listens[target] > 0 ? 1 : 0 }
    for spike in 0..<spikes.count {
      let source = Int(spikes.particles[spike])
      let row = Int(rowOf[source])
      if row < 0 {
        for place in offsets[source]..<offsets[source + 1] {
          heard &+= listens[Int(targets[Int(place)])] > 0 ? 1 : 0
        }
      } else if lists.degrees[row] == width {
        heard &+= listeners
      } else {
        let weights = lists.rows.base + row * width
        for target in 0..<width { heard &+= listens[target] > 0 && weights[target] != 0 ? 1 : 0 }
      }
    }
    return heard
  }
}
