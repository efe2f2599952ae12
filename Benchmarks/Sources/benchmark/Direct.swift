import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// Delivery over the pruned direct graph: G_x and G_y of the same number of synapses, the same firing neurons, ours and SciPy's.
struct DirectContest {
  /// What fired at one token and layer.
  private struct Moment {
    let active: [Int32]
    let values: [Float]
  }

  let size: String
  let path: String
  let settings: Settings
  let edges = 1_000_000

  /// One unit is an event: a kept synapse of a firing neuron.
  func contests(note: (String) -> Void) throws -> [Contest] {
    let workers = Workers(threads: 2)
    let weights = try Model.load(path: path, workers: workers).weights
    let graph = try Compiler().direct(
      from: weights, options: DirectOptions(kept: .strongest(edges)), workers: workers
    ).graph
    let moments = try record(weights, workers)
    var contests: [Contest] = []
    // G_x has a row per source already; G_y, laid out by listening neuron, is turned around.
    for (name, lists) in [
      ("G_x", Self.lists(graph.drivesX)), ("G_y", Self.bySource(graph.drivesY)),
    ] {
      contests.append(try contest(name, Self.first(graph.neuronCount, of: lists), moments, note: note))
    }
    return contests
  }

  private func contest(
    _ name: String, _ lists: SparseRows<Float>, _ moments: [Moment], note: (String) -> Void
  ) throws -> Contest {
    var contest = Contest(
      task: "direct", size: "\(size), \(name)", unit: "event", reference: "SciPy, fastest way")
    let events = moments.reduce(0) { sum, moment in
      sum + moment.active.reduce(0) { $0 + lists.offsets[Int($1) + 1] - lists.offsets[Int($1)] }
    }
    note("\(size), \(name): \(lists.count) synapses, \(events) events in \(moments.count) deliveries")
    guard events > 0 else { return contest }
    // As the compiler lays it out: above a quarter of all possible synapses a dense block is faster.
    let possible = Double(lists.rowCount * lists.columnCount)
    let isDense = Double(lists.count) >= Projection<Float>.listsBelow * possible
    let outgoing = OutgoingSynapses(isDense ? Projection(dense: lists.dense) : Projection(.sparse(lists)))
    let sums = NumberStorage<Float>(zeros: lists.columnCount)
    for threads in [1, 2] {
      let workers = Workers(threads: threads)
      func deliver(_ moment: Moment) {
        moment.active.withUnsafeBufferPointer { active in
          moment.values.withUnsafeBufferPointer { values in
            guard let active = active.baseAddress, let values = values.baseAddress else { return }
            outgoing.deliver(
              from: active, values, count: moment.active.count, into: sums.base, workers: workers)
          }
        }
      }
      if threads == 1, let first = moments.first {
        deliver(first)
        try save(lists, moments, Array(UnsafeBufferPointer(start: sums.base, count: sums.count)))
      }
      contest.contestants.append(
        Contestant(name: "graph, \(threads) \(threads == 1 ? "thread" : "threads")", threads: threads) {
          elapsed { for moment in moments { deliver(moment) } } / Double(events)
        })
    }
    do {
      let peer = try Peer("sparse_direct", [folder], settings: settings)
      let difference = try peer.ask("check")["difference"] ?? .infinity
      guard difference < 1e-4 else {
        throw Peer.Missing(reason: "its sums differ from ours by \(difference)")
      }
      note("\(size), \(name): \(peer.description); sums within \(String(format: "%.1e", difference)) of ours")
      contest.contestants.append(
        Contestant(name: "SciPy, fastest way", threads: 1) { try peer.seconds("deliver") / Double(events) })
    } catch { note("\(size), \(name): no SciPy: \((error as? Peer.Missing)?.reason ?? "\(error)")") }
    return contest
  }

  /// Which neurons had y > 0, and how much, at every token and layer of the held-out bytes.
  private func record(_ weights: Weights<Float>, _ workers: Workers) throws -> [Moment] {
    let engine = TensorEngine(weights, workers: workers)
    return try settings.text.prefix(Workload.stepTokens).flatMap { token in
      try engine.stepRecording(token).layers.map { layer in
        let active = layer.y.indices.filter { layer.y[$0] > 0 }
        return Moment(active: active.map { Int32($0) }, values: active.map { layer.y[$0] })
      }
    }.filter { !$0.active.isEmpty }
  }

  private static func lists(_ projection: Projection<Float>) -> SparseRows<Float> {
    switch projection.storage {
    case .sparse(let lists): lists
    case .dense(let matrix): SparseRows(matrix)
    case .reduced(let rows): SparseRows(rows.dense)
    }
  }

  /// The synapses of the first `count` sources: neurons without token neurons, whose synapses are not among the M strongest.
  private static func first(_ count: Int, of lists: SparseRows<Float>) -> SparseRows<Float> {
    let end = lists.offsets[count]
    return SparseRows(
      columnCount: lists.columnCount, offsets: Array(lists.offsets[...count]),
      columns: Array(lists.columns[..<end]),
      weights: Array(lists.weights[..<end]))
  }

  private static func bySource(_ projection: Projection<Float>) -> SparseRows<Float> {
    let lists = lists(projection)
    var offsets = [Int](repeating: 0, count: lists.columnCount + 1)
    for column in lists.columns { offsets[Int(column) + 1] += 1 }
    for column in 0..<lists.columnCount { offsets[column + 1] += offsets[column] }
    var next = offsets
    var columns = [Int32](repeating: 0, count: lists.count)
    var weights = [Float](repeating: 0, count: lists.count)
    for row in 0..<lists.rowCount {
      for position in lists.offsets[row]..<lists.offsets[row + 1] {
        let source = Int(lists.columns[position])
        columns[next[source]] = Int32(row)
        weights[next[source]] = lists.weights[position]
        next[source] += 1
      }
    }
    return SparseRows(columnCount: lists.rowCount, offsets: offsets, columns: columns, weights: weights)
  }

  // MARK: Files for the peer

  private var folder: String { "\(settings.data)/direct-\(size)" }

  private func save(_ lists: SparseRows<Float>, _ moments: [Moment], _ sums: [Float]) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let sources = (0..<lists.rowCount).flatMap { row in
      [Int32](repeating: Int32(row), count: lists.offsets[row + 1] - lists.offsets[row])
    }
    try write("sources", sources)
    try write("targets", lists.columns)
    try write("weights", lists.weights)
    try write("shape", [Int32(lists.columnCount), Int32(lists.rowCount)])
    try write("counts", moments.map { Int32($0.active.count) })
    try write("active", moments.flatMap(\.active))
    try write("values", moments.flatMap(\.values))
    try write("sums", sums)
  }

  /// A NumPy array of one dimension.
  private func write<Number: BitwiseCopyable>(_ name: String, _ numbers: [Number]) throws {
    let type = Number.self == Float.self ? "<f4" : "<i4"
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(numbers.count),), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(Data(header.utf8))
    numbers.withUnsafeBytes { data.append(contentsOf: $0) }
    try data.write(to: URL(fileURLWithPath: "\(folder)/\(name).npy"))
  }
}
