import Foundation
import HatchlingNumerics

/// Measures how fast this machine does what a token asks of it: the engine's own kernels, as often as an activity asks for them, on more memory than a
/// cache holds, in blocks that the threads share out. Give it back before memory is looked at.
public final class MachineProbe<Scalar: NetworkScalar> {
  private let d: Int
  /// Neurons of a block.
  private let size: Int
  private let activity: PlannedActivity
  private let choice: (screens: Bool, defers: Bool)
  private let workers: Workers
  /// D_x, D_y or E, and ρ with its histories and fields.
  private let weights: Matrix<Scalar>
  private let plastic, history, fields: NumberStorage<Scalar>
  private let screen: (rows: RowScreen, query: RowScreen.Query)?
  /// Of every block lists of neurons: drives of x and of y, those that answer; of those that fire as many as tokens that are told apart.
  private let hearing, listening, answering: [[Int32]]
  private let fired: [[[Int32]]]
  private let x, sent, drives, toHubs, cosines: NumberStorage<Scalar>
  private let places, possible, others: NumberStorage<Int32>
  /// Blocks that are worked on between two meetings, and how many were.
  private let portion: Int
  private var done = 0
  private static var blocks: Int { 64 }
  private static var tokens: Int { 4 }

  /// - Parameters:
  ///   - network: how long rows are and how many of them are read. Of very long rows a part is taken.
  ///   - neurons: how many a rank works on between two exchanges.
  ///   - bytes: of all rows, several times what a cache holds.
  /// Cost: writes all rows once.
  public init(_ network: PlannedNetwork, neurons portion: Int, bytes: Int = 192 << 20, workers: Workers) {
    let number = MemoryLayout<Scalar>.size
    let d = min(network.sizes.synapticDimension, bytes / (64 * Self.blocks * number))
    let size = max(16, bytes / (2 * number * d * Self.blocks) / 2 * 2)
    let neurons = size * Self.blocks
    self.portion = min(Self.blocks, max(1, (portion + size / 2) / size))
    (self.d, self.size, self.workers) = (d, size, workers)
    (activity, choice) = (network.activity, network.choice)
    var random = SeededRandom(seed: 1)
    let line = (0..<d).map { _ in Scalar(random.normal()) }
    weights = Self.rows(neurons, of: line, &random)
    let (stored, past) = (
      NumberStorage<Scalar>(zeros: neurons * d), NumberStorage<Scalar>(zeros: Scalar.slots * d)
    )
    stored.base.update(from: weights.pointer, count: stored.count)
    past.base.update(from: weights.pointer, count: min(past.count, stored.count))
    (plastic, fields) = (stored, past)
    history = NumberStorage(zeros: neurons * Scalar.slots)
    func listed(_ share: Double) -> [[Int32]] {
      (0..<Self.blocks).map { block in
        (block * size..<(block + 1) * size).filter { _ in random.uniform() < share }.map { Int32($0) }
      }
    }
    let (shares, active) = (PlannedBytes.drives(network), network.activity)
    (hearing, listening, answering) = (listed(shares.x), listed(shares.y), listed(active.y))
    fired = (0..<Self.tokens).map { _ in listed(active.fired) }
    let firing = NumberStorage<Scalar>(zeros: neurons)
    for neuron in 0..<neurons { firing.base[neuron] = random.uniform() < active.x ? 1 : 0 }
    x = firing
    let (small, half) = (NumberStorage<Scalar>(zeros: neurons), NumberStorage<Scalar>(zeros: neurons))
    for neuron in 0..<neurons { (small.base[neuron], half.base[neuron]) = (1e-3, 0.5) }
    (sent, cosines, drives) = (small, half, NumberStorage(zeros: neurons))
    toHubs = NumberStorage(zeros: Self.blocks * (d + Scalar.slots))
    (places, possible, others) = (.init(zeros: neurons), .init(zeros: neurons), .init(zeros: neurons))
    screen = choice.screens ? Self.screen(weights, line, workers) : nil
  }

  /// Each row is another one; half of their sums with the first are positive.
  private static func rows(
    _ count: Int, of line: [Scalar], _ random: inout SeededRandom
  ) -> Matrix<Scalar> {
    var weights = Matrix<Scalar>(rows: count, columns: line.count)
    let (base, d) = (weights.mutablePointer(), line.count)
    for row in 0..<count {
      let sign: Scalar = random.next() % 2 == 0 ? 1 : -1
      for column in 0..<d { base[row * d + column] = sign * line[(column + row) % d] }
    }
    return weights
  }

  private static func screen(
    _ weights: Matrix<Scalar>, _ line: [Scalar], _ workers: Workers
  ) -> (RowScreen, RowScreen.Query)? {
    guard let floats = weights as? Matrix<Float>, let asked = line as? [Float] else { return nil }
    let rows = RowScreen(floats.pointer, rows: floats.rows, d: floats.columns, workers: workers)
    let query = RowScreen.Query(d: floats.columns)
    asked.withUnsafeBufferPointer { line in line.baseAddress.map { query.ask($0, rows) } }
    return (rows, query)
  }

  /// Does what a layer asks for, over and over, for about so many seconds.
  ///
  /// - Parameter meet: waits for all ranks as often as a token does, so that waiting for the slowest counts. Told whether this one is done, it says
  ///   whether all go home.
  public func measure(seconds: Double, meet: (Bool) -> Bool = { $0 }) -> MachineConstants {
    let start = ContinuousClock.now
    var (neurons, rows, codes, turns, isDone) = (0.0, 0.0, 0.0, 0.0, false)
    while !isDone {
      rows += timed { self.readAndWriteRows($0, pass: $1) }
      if let screen { codes += timed { block, _ in self.readCodes(block, screen.rows, screen.query) } }
      turns += timed { block, _ in self.turn(block) }
      done += portion
      neurons += Double(portion * size)
      isDone = meet((ContinuousClock.now - start).inSeconds >= seconds)
    }
    // Whoever waits works the longer.
    let stretch = (ContinuousClock.now - start).inSeconds / (rows + codes + turns)
    let rowBytes =
      PlannedBytes.rowNumbers(activity, choice, d: d) * Double(MemoryLayout<Scalar>.size) * neurons
    let codeBytes = Double(d + 16) * (1 + activity.x) * neurons
    return MachineConstants(
      exchange: nil, rows: rowBytes / (rows * stretch),
      codes: codes > 0 ? codeBytes / (codes * stretch) : nil, perNeuron: turns * stretch / neurons)
  }

  /// Seconds that a kind of work takes in the next blocks.
  private func timed(_ work: (_ block: Int, _ pass: Int) -> Void) -> Double {
    let start = ContinuousClock.now
    workers.run(blocks: portion) { [done] in work((done + $0) % Self.blocks, (done + $0) / Self.blocks) }
    return (ContinuousClock.now - start).inSeconds
  }

  /// Everything that reads or writes rows. Those of D_y and E are another block's, which no cache holds by then.
  private func readAndWriteRows(_ block: Int, pass: Int) {
    let other = (block + Self.blocks / 2) % Self.blocks
    let sum = toHubs.base + block * (d + Scalar.slots)
    drive(hearing[block], block)
    choice.defers ? readPlastic(block, sum, pass: pass) : readAndHebb(block, sum, pass: pass)
    drive(listening[other], block)
    let answering = answering[other]
    Scalar.addRows(weights.pointer, answering, sent.base, count: answering.count, d: d, into: sum)
  }

  private func drive(_ list: [Int32], _ block: Int) {
    Scalar.dotList(
      weights.pointer, list, count: list.count, fields.base, d: d, into: drives.base + block * size)
  }

  /// As a circuit does that defers its writes.
  private func readPlastic(_ block: Int, _ sum: UnsafeMutablePointer<Scalar>, pass: Int) {
    let (list, slot) = (fired[pass % Self.tokens][block], pass % Scalar.slots)
    if (pass + block) % Scalar.slots == 0 {
      let remembering = possible.base + block * size
      let count = Scalar.listRemembering(history.base, block * size..<(block + 1) * size, into: remembering)
      Scalar.settleRows(
        plastic.base, remembering, count: count, history: history.base, from: slot, fields: fields.base,
        keep: nil, d: d)
    }
    sum.update(repeating: 0, count: d + Scalar.slots)
    Scalar.readPlastic(
      plastic.base, list, damped: sent.base, sent.base, count: list.count, history: history.base, keep: nil,
      d: d, into: sum, scores: sum + d)
    for neuron in list { history.base[Int(neuron) * Scalar.slots + slot] = 1e-3 }
  }

  private func readAndHebb(_ block: Int, _ sum: UnsafeMutablePointer<Scalar>, pass: Int) {
    let list = fired[pass % Self.tokens][block]
    sum.update(repeating: 0, count: d)
    Scalar.readAndHebb(
      plastic.base, list, sent.base, keep: nil, count: list.count, fields.base, d: d, into: sum)
  }

  /// Screens all rows for x, and those with x > 0 for y, of another block.
  private func readCodes(_ block: Int, _ screen: RowScreen, _ query: RowScreen.Query) {
    let first = block * size
    let (sums, found) = (places.base + first, possible.base + first)
    _ = screen.list(first..<first + size, query, sums: sums, into: found)
    let list = fired[0][(block + Self.blocks / 2) % Self.blocks]
    let count = min(list.count, Int(activity.x * Double(size)))
    list.withUnsafeBufferPointer { list in
      guard let list = list.baseAddress else { return }
      _ = screen.list(list, count: count, query, sums: sums, into: found)
    }
  }

  /// What neurons do beside their synapses: empty, activate, turn, list, gate, and look whether all is finite.
  private func turn(_ block: Int) {
    let first = block * size
    let (drives, hears) = (drives.base + first, hearing[block])
    _ = Scalar.areFinite(drives, hears.count)
    var driven = 0
    for place in hears.indices where drives[place] > 0 { driven += Int(hears[place]) & 1 }
    let counts = Scalar.rotateAndCollect(
      x.base + first, cosines.base + first, cosines.base + first, first..<first + size,
      listening: possible.base + first, fired: others.base + first, sent: drives)
    _ = Scalar.areFinite(drives, counts.listening)
    drives.update(repeating: 0, count: size)
    places.base[first] = Int32(truncatingIfNeeded: driven)
  }
}
