import HatchlingDynamics
import HatchlingNumerics

/// The synapses of a connection in the order in which spikes travel: by presynaptic particle, cut into panels of postsynaptic ones.
///
/// Panels are filled side by side, and every particle of a panel adds up what arrives in the order of the spikes.
struct SpikeRoutes<Scalar: NetworkScalar>: Sendable {
  /// Postsynaptic particles that are reached together.
  struct Panel: Sendable {
    let targets: Range<Int>
    /// The row of presynaptic particles that is heard, where heads have rows of their own.
    let head: Int
    let synapses: Synapses
  }

  enum Synapses: Sendable {
    /// `(sources, targets)`; 0 where there is none.
    case dense(NumberStorage<Scalar>)
    /// Of source s those at `offsets[s] ..< offsets[s + 1]`; targets are counted in the panel.
    case lists(offsets: NumberStorage<Int>, targets: NumberStorage<Int32>, weights: NumberStorage<Scalar>)
  }

  let panels: [Panel]
  /// Of each presynaptic particle: how many synapses it has.
  let degrees: Degrees
  /// Whether every source reaches every target, so that who listens need not be walked through to be counted.
  let isComplete: Bool

  /// - Parameters:
  ///   - panels: the postsynaptic particles of each panel, and the head that they hear.
  ///   - forEachWire: calls its argument with (source, target, weight) for every synapse.
  init(
    sources: Int, panels cut: [(targets: Range<Int>, head: Int)],
    _ forEachWire: ((Int, Int, Scalar) -> Void) -> Void
  ) {
    let targets = cut.reduce(0) { $0 + $1.targets.count }
    var outDegrees = [Int32](repeating: 0, count: sources)
    var count = 0
    forEachWire { source, _, weight in
      guard weight != 0 else { return }
      outDegrees[source] += 1
      count += 1
    }
    degrees = Degrees(outDegrees)
    isComplete = count == sources * targets
    var panelOfTarget = [Int32](repeating: 0, count: targets)
    for (index, panel) in cut.enumerated() {
      for target in panel.targets { panelOfTarget[target] = Int32(index) }
    }
    if 4 * count >= sources * targets {
      let dense = cut.map { NumberStorage<Scalar>(zeros: sources * $0.targets.count) }
      forEachWire { source, target, weight in
        let panel = Int(panelOfTarget[target])
        let (place, width) = (target - cut[panel].targets.lowerBound, cut[panel].targets.count)
        dense[panel].base[source * width + place] = weight
      }
      panels = zip(cut, dense).map { Panel(targets: $0.targets, head: $0.head, synapses: .dense($1)) }
      return
    }
    panels = Self.lists(sources: sources, cut, panelOfTarget, forEachWire)
  }

  private static func lists(
    sources: Int, _ cut: [(targets: Range<Int>, head: Int)], _ panelOfTarget: [Int32],
    _ forEachWire: ((Int, Int, Scalar) -> Void) -> Void
  ) -> [Panel] {
    let offsets = cut.map { _ in NumberStorage<Int>(zeros: sources + 1) }
    forEachWire { source, target, weight in
      if weight != 0 { offsets[Int(panelOfTarget[target])].base[source + 1] += 1 }
    }
    for panel in offsets { for source in 0..<sources { panel.base[source + 1] += panel.base[source] } }
    var next = offsets.map { panel in (0..<sources).map { panel.base[$0] } }
    let targets = offsets.map { NumberStorage<Int32>(zeros: $0.base[sources]) }
    let weights = offsets.map { NumberStorage<Scalar>(zeros: $0.base[sources]) }
    forEachWire { source, target, weight in
      guard weight != 0 else { return }
      let panel = Int(panelOfTarget[target])
      let place = next[panel][source]
      next[panel][source] += 1
      targets[panel].base[place] = Int32(target - cut[panel].targets.lowerBound)
      weights[panel].base[place] = weight
    }
    return cut.indices.map {
      Panel(
        targets: cut[$0].targets, head: cut[$0].head,
        synapses: .lists(offsets: offsets[$0], targets: targets[$0], weights: weights[$0]))
    }
  }
}

/// A train of spikes on its way. Every function returns how many synapses were traversed.
extension SpikeTrain {
  /// All listen, panel by panel: `into` gets the sums of every target.
  func deliver(
    over routes: SpikeRoutes<Scalar>, into sums: UnsafeMutablePointer<Scalar>, workers: Workers
  ) -> Int {
    workers.run(blocks: routes.panels.count) { index in
      let panel = routes.panels[index]
      let sum = sums + panel.targets.lowerBound
      sum.update(repeating: 0, count: panel.targets.count)
      forEachSegment(of: blocksOfRow.count > 1 ? panel.head : 0) { who, weights, count in
        switch panel.synapses {
        case .dense(let rows):
          Scalar.addRows(rows.base, who, weights, count: count, d: panel.targets.count, into: sum)
        case .lists(let offsets, let targets, let strengths):
          Self.add(who, weights, count, offsets.base, targets.base, strengths.base, into: sum)
        }
      }
    }
    return blocksOfRow.indices.reduce(0) { $0 + traversed(routes.degrees, row: $1) }
  }

  /// Many send to few: what each block of senders sends is added up by itself, then as a tree over the blocks.
  ///
  /// - Parameter partial: scratch, `(blocks, targets)`.
  func gather(
    over routes: SpikeRoutes<Scalar>, row: Int, targets: Int, into sums: UnsafeMutablePointer<Scalar>,
    partial: UnsafeMutablePointer<Scalar>, workers: Workers
  ) -> Int {
    let own = blocksOfRow[row]
    workers.run(blocks: own.count) { index in
      let block = own.lowerBound + index
      let sum = partial + block * targets
      sum.update(repeating: 0, count: targets)
      for panel in routes.panels {
        let part = sum + panel.targets.lowerBound
        switch panel.synapses {
        case .dense(let rows):
          Scalar.addRows(
            rows.base, particles[block].base, weights[block].base, count: count(block),
            d: panel.targets.count,
            into: part)
        case .lists(let offsets, let targets, let strengths):
          Self.add(
            particles[block].base, weights[block].base, count(block), offsets.base, targets.base,
            strengths.base,
            into: part)
        }
      }
    }
    BlockSums.add(partial, blocks: own, width: targets, into: sums)
    return traversed(routes.degrees, row: row)
  }

  /// Only targets with `listens` > 0 hear; others get 0.
  ///
  /// Where most synapses exist, all targets of a panel are reached by wide additions, and what arrives at those that do not listen is dropped: that is
  /// faster than to pick those that do, and counts as nothing.
  ///
  /// - Parameter traversed: scratch, one number per panel.
  func deliver(
    over routes: SpikeRoutes<Scalar>, listening listens: UnsafePointer<Scalar>,
    into sums: UnsafeMutablePointer<Scalar>, traversed: NumberStorage<Int>, workers: Workers
  ) -> Int {
    workers.run(blocks: routes.panels.count) { index in
      let panel = routes.panels[index]
      let (first, width) = (panel.targets.lowerBound, panel.targets.count)
      let sum = sums + first
      sum.update(repeating: 0, count: width)
      var heard = 0
      forEachSegment(of: blocksOfRow.count > 1 ? panel.head : 0) { who, weights, count in
        switch panel.synapses {
        case .dense(let rows):
          Scalar.addRows(rows.base, who, weights, count: count, d: width, into: sum)
          heard += Self.countHeard(
            who, count, rows.base, listens + first, width, isComplete: routes.isComplete)
        case .lists(let offsets, let targets, let strengths):
          heard += Self.add(
            who, weights, count, offsets.base, targets.base, strengths.base, listens: listens + first,
            into: sum)
        }
      }
      Self.drop(sum, listens + first, width)
      traversed.base[index] = heard
    }
    return routes.panels.indices.reduce(0) { $0 + traversed.base[$1] }
  }

  /// The spikes of a row in order: sub-step by sub-step, block by block. A row of one block is one segment.
  @inline(__always)
  func forEachSegment(
    of row: Int, _ body: (UnsafePointer<Int32>, UnsafePointer<Scalar>, Int) -> Void
  ) {
    let own = blocksOfRow[row]
    if own.count == 1 {
      return body(particles[own.lowerBound].base, weights[own.lowerBound].base, count(own.lowerBound))
    }
    for substep in 0..<substeps {
      for block in own {
        let segment = spikes(block, at: substep)
        if segment.isEmpty { continue }
        body(
          particles[block].base + segment.lowerBound, weights[block].base + segment.lowerBound, segment.count)
      }
    }
  }

  private func traversed(_ degrees: Degrees, row: Int) -> Int {
    blocksOfRow[row].reduce(0) { $0 + degrees.total(particles[$1].base, count($1)) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func add(
    _ who: UnsafePointer<Int32>, _ spikes: UnsafePointer<Scalar>, _ count: Int, _ offsets: UnsafePointer<Int>,
    _ targets: UnsafePointer<Int32>, _ weights: UnsafePointer<Scalar>, into sum: UnsafeMutablePointer<Scalar>
  ) {
    for spike in 0..<count {
      let source = Int(who[spike])
      for place in offsets[source]..<offsets[source + 1] {
        sum[Int(targets[place])] += spikes[spike] * weights[place]
      }
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func add(
    _ who: UnsafePointer<Int32>, _ spikes: UnsafePointer<Scalar>, _ count: Int, _ offsets: UnsafePointer<Int>,
    _ targets: UnsafePointer<Int32>, _ weights: UnsafePointer<Scalar>, listens: UnsafePointer<Scalar>,
    into sum: UnsafeMutablePointer<Scalar>
  ) -> Int {
    var heard = 0
    for spike in 0..<count {
      let source = Int(who[spike])
      for place in offsets[source]..<offsets[source + 1] where listens[Int(targets[place])] > 0 {
        sum[Int(targets[place])] += spikes[spike] * weights[place]
        heard += 1
      }
    }
    return heard
  }

  /// How many synapses spikes were delivered over.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func countHeard(
    _ who: UnsafePointer<Int32>, _ count: Int, _ rows: UnsafePointer<Scalar>,
    _ listens: UnsafePointer<Scalar>,
    _ targets: Int, isComplete: Bool
  ) -> Int {
    var listeners = 0
    for target in 0..<targets { listeners &+= listens[target] > 0 ? 1 : 0 }
    if isComplete { return count * listeners }
    var heard = 0
    for spike in 0..<count {
      let row = rows + Int(who[spike]) * targets
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
