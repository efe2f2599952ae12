import Foundation
import HatchlingNumerics

/// Measures how fast this machine does what a token asks of it: with the engine's own kernels, on more memory than a cache holds, in blocks that
/// the threads share out. Give it back before memory is looked at.
public final class MachineProbe<Scalar: NetworkScalar> {
  private let rows, d: Int
  private let weights: Matrix<Scalar>
  private let screen: (rows: RowScreen, query: RowScreen.Query)?
  private let listening, fired: [[Int32]]
  private let workers: Workers
  private let x, values, drives, sums, cosines: NumberStorage<Scalar>
  private let possible, places, others: NumberStorage<Int32>
  private static var blocks: Int { 64 }

  /// - Parameters:
  ///   - d: numbers of a row; of very long ones as many as fit.
  ///   - bytes: of all rows, several times what a cache holds.
  ///   - activity: which share of rows is read.
  /// Cost: writes all rows once.
  public init(d: Int, bytes: Int = 192 << 20, activity: PlannedActivity, screens: Bool, workers: Workers) {
    let d = min(d, bytes / (16 * Self.blocks * MemoryLayout<Scalar>.size))
    let perBlock = max(16, bytes / (MemoryLayout<Scalar>.size * d * Self.blocks) / 2 * 2)
    (rows, self.d, self.workers) = (perBlock * Self.blocks, d, workers)
    var random = SeededRandom(seed: 1)
    let line = (0..<d).map { _ in Scalar(random.normal()) }
    var weights = Matrix<Scalar>(rows: rows, columns: d)
    let base = weights.mutablePointer()
    for row in 0..<rows {
      // Each row is another one; half of their sums with the first are positive.
      let sign: Scalar = random.next() % 2 == 0 ? 1 : -1
      for column in 0..<d { base[row * d + column] = sign * line[(column + row) % d] }
    }
    self.weights = weights
    func listed(_ share: Double) -> [[Int32]] {
      (0..<Self.blocks).map { block in
        (block * perBlock..<(block + 1) * perBlock).filter { _ in random.uniform() < share }.map { Int32($0) }
      }
    }
    (listening, fired) = (listed(max(0.01, activity.x)), listed(max(0.01, activity.fired)))
    x = NumberStorage(zeros: rows)
    for row in 0..<rows { x.base[row] = random.uniform() < activity.x ? 1 : 0 }
    (values, drives, cosines) = (
      NumberStorage(zeros: rows), NumberStorage(zeros: rows), NumberStorage(zeros: rows)
    )
    for row in 0..<rows { (values.base[row], cosines.base[row]) = (1, 0.5) }
    sums = NumberStorage(zeros: Self.blocks * d)
    (possible, places, others) = (
      NumberStorage(zeros: rows), NumberStorage(zeros: rows), NumberStorage(zeros: rows)
    )
    guard screens, let floats = weights as? Matrix<Float>, let asked = line as? [Float] else {
      screen = nil
      return
    }
    let codes = RowScreen(floats.pointer, rows: rows, d: d, workers: workers)
    let query = RowScreen.Query(d: d)
    asked.withUnsafeBufferPointer { line in line.baseAddress.map { query.ask($0, codes) } }
    screen = (codes, query)
  }

  /// Does each kind of work for about so many seconds.
  public func measure(seconds: Double) -> MachineConstants {
    let rows = rate(seconds / 3) { self.readRows() }
    let codes = screen.map { screen in rate(seconds / 3) { self.readCodes(screen.rows, screen.query) } }
    let neurons = rate(seconds / 3) { self.turnNeurons() }
    return MachineConstants(exchange: nil, rows: rows, codes: codes, perNeuron: 1 / neurons)
  }

  /// What passes get done per second.
  private func rate(_ seconds: Double, _ pass: () -> Double) -> Double {
    let start = ContinuousClock.now
    var (done, taken) = (0.0, 0.0)
    while taken < seconds {
      done += pass()
      taken = (ContinuousClock.now - start).inSeconds
    }
    return done / taken
  }

  /// Sums over the rows of ρ that fired and drives of those that listen; bytes.
  private func readRows() -> Double {
    workers.run(blocks: Self.blocks) { [self] block in
      let (fired, listening) = (fired[block], listening[block])
      let sum = sums.base + block * d
      sum.update(repeating: 0, count: d)
      Scalar.addRows(weights.pointer, fired, values.base, count: fired.count, d: d, into: sum)
      let first = block * (rows / Self.blocks)
      Scalar.dotList(
        weights.pointer, listening, count: listening.count, weights.pointer, d: d, into: drives.base + first)
    }
    let read = fired.reduce(0) { $0 + $1.count } + listening.reduce(0) { $0 + $1.count }
    return Double(read) * Double(d * MemoryLayout<Scalar>.size)
  }

  /// Screens all rows; bytes.
  private func readCodes(_ screen: RowScreen, _ query: RowScreen.Query) -> Double {
    let perBlock = rows / Self.blocks
    workers.run(blocks: Self.blocks) { [self] block in
      let first = block * perBlock
      _ = screen.list(
        first..<first + perBlock, query, sums: places.base + first, into: possible.base + first)
    }
    return Double(rows) * Double(d + 16)
  }

  /// Empties, turns and lists neurons, and looks whether they are finite; neurons.
  private func turnNeurons() -> Double {
    let perBlock = rows / Self.blocks
    workers.run(blocks: Self.blocks) { [self] block in
      let first = block * perBlock
      (drives.base + first).update(repeating: 0, count: perBlock)
      _ = Scalar.areFinite(drives.base + first, perBlock)
      _ = Scalar.rotateAndCollect(
        x.base + first, cosines.base + first, cosines.base + first, first..<first + perBlock,
        listening: possible.base + first, fired: others.base + first, sent: drives.base + first)
      _ = Scalar.areFinite(x.base + first, perBlock)
    }
    return Double(rows)
  }
}
