import HatchlingDynamics
import HatchlingNumerics

/// The synapses of a connection in the order in which spikes travel: by presynaptic particle, cut into panels of postsynaptic ones.
///
/// Panels are filled side by side, and every particle of a panel adds up what arrives in the order of the spikes: bits depend on neither panels nor
/// threads.
struct SpikeRoutes<Scalar: NetworkScalar>: Sendable {
  let panels: [SpikePanel<Scalar>]
  /// Of each presynaptic particle: how many synapses it has.
  let degrees: Degrees

  /// A piece of the postsynaptic particles, all of one head.
  typealias Piece = (targets: Range<Int>, head: Int)

  /// - Parameters:
  ///   - cut: the postsynaptic particles of each panel, and the head that they hear.
  ///   - forEachWire: calls its argument with (source, target, weight) for every synapse.
  init(
    sources: Int, panels cut: [Piece], _ forEachWire: ((Int, Int, Scalar) -> Void) -> Void
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
    let isTooWide = cut.contains { $0.targets.count > SpikeLists<Scalar>.widest }
    if 4 * count >= sources * targets || isTooWide {
      panels = Self.dense(sources: sources, cut, isComplete: count == sources * targets, forEachWire)
    } else {
      panels = Self.sparse(
        sources: sources, Self.widened(cut, to: max(512, min(8192, targets / 16))), forEachWire)
    }
  }

  private static func dense(
    sources: Int, _ cut: [Piece], isComplete: Bool, _ forEachWire: ((Int, Int, Scalar) -> Void) -> Void
  ) -> [SpikePanel<Scalar>] {
    let panelOf = panelOfTarget(cut)
    let rows = cut.map { NumberStorage<Scalar>(zeros: sources * $0.targets.count) }
    forEachWire { source, target, weight in
      let panel = Int(panelOf[target])
      let (place, width) = (target - cut[panel].targets.lowerBound, cut[panel].targets.count)
      rows[panel].base[source * width + place] = weight
    }
    return zip(cut, rows).map {
      SpikePanel(targets: $0.targets, head: $0.head, synapses: .dense($1, isComplete: isComplete))
    }
  }

  private static func sparse(
    sources: Int, _ cut: [Piece], _ forEachWire: ((Int, Int, Scalar) -> Void) -> Void
  ) -> [SpikePanel<Scalar>] {
    let panelOf = panelOfTarget(cut)
    var degrees = cut.map { _ in [Int32](repeating: 0, count: sources) }
    forEachWire { source, target, weight in
      if weight != 0 { degrees[Int(panelOf[target])][source] += 1 }
    }
    let lists = zip(cut, degrees).map { SpikeLists<Scalar>(degrees: $1, width: $0.targets.count) }
    var filled = cut.map { _ in [UInt32](repeating: 0, count: sources) }
    forEachWire { source, target, weight in
      guard weight != 0 else { return }
      let panel = Int(panelOf[target])
      let (first, width) = (cut[panel].targets.lowerBound, cut[panel].targets.count)
      lists[panel].place(
        source: source, target: target - first, weight: weight, width: width, filled: &filled[panel])
    }
    return zip(cut, lists).map { SpikePanel(targets: $0.targets, head: $0.head, synapses: .sparse($1)) }
  }

  /// Neighbours of one head together, up to `most` targets: a list that reaches few targets of a panel costs more than it brings.
  private static func widened(_ cut: [Piece], to most: Int) -> [Piece] {
    cut.reduce(into: []) { wide, piece in
      if let last = wide.last, last.head == piece.head, last.targets.upperBound == piece.targets.lowerBound,
        piece.targets.upperBound - last.targets.lowerBound <= most
      {
        wide[wide.count - 1].targets = last.targets.lowerBound..<piece.targets.upperBound
      } else {
        wide.append(piece)
      }
    }
  }

  private static func panelOfTarget(_ cut: [Piece]) -> [Int32] {
    var panels = [Int32](repeating: 0, count: cut.reduce(0) { $0 + $1.targets.count })
    for (index, panel) in cut.enumerated() {
      for target in panel.targets { panels[target] = Int32(index) }
    }
    return panels
  }
}

/// A train of spikes on its way. Every function returns how many synapses were traversed.
extension SpikeTrain {
  /// All listen, panel by panel: `into` gets the sums of every target.
  func deliver(
    over routes: SpikeRoutes<Scalar>, into sums: UnsafeMutablePointer<Scalar>, workers: Workers
  ) -> Int {
    let rows = inOrder()
    workers.run(blocks: routes.panels.count) { index in
      let panel = routes.panels[index]
      let sum = sums + panel.targets.lowerBound
      sum.update(repeating: 0, count: panel.targets.count)
      panel.add(rows[rows.count > 1 ? panel.head : 0], into: sum)
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
      let spikes = SpikeSequence(
        particles: particles[block].base, weights: weights[block].base, count: count(block))
      for panel in routes.panels { panel.add(spikes, into: sum + panel.targets.lowerBound) }
    }
    BlockSums.add(partial, blocks: own, width: targets, into: sums)
    return traversed(routes.degrees, row: row)
  }

  /// Only targets with `listens` > 0 hear; others get 0.
  ///
  /// - Parameter traversed: scratch, one number per panel.
  func deliver(
    over routes: SpikeRoutes<Scalar>, listening listens: UnsafePointer<Scalar>,
    into sums: UnsafeMutablePointer<Scalar>, traversed: NumberStorage<Int>, workers: Workers
  ) -> Int {
    let rows = inOrder()
    workers.run(blocks: routes.panels.count) { index in
      let panel = routes.panels[index]
      let first = panel.targets.lowerBound
      (sums + first).update(repeating: 0, count: panel.targets.count)
      traversed.base[index] = panel.add(
        rows[rows.count > 1 ? panel.head : 0], listening: listens + first, into: sums + first)
    }
    return routes.panels.indices.reduce(0) { $0 + traversed.base[$1] }
  }

  private func traversed(_ degrees: Degrees, row: Int) -> Int {
    blocksOfRow[row].reduce(0) { $0 + degrees.total(particles[$1].base, count($1)) }
  }
}
