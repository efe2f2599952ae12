import Foundation
import HatchlingCompiler
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// The shipped network on a stream that goes on for hours, token by token. Every piece ends with a line of a log: divergence from a double network
/// and losses over its last tokens, phases against exact ones, memory and descriptors.
///
/// The double network begins with an empty state `lead` tokens earlier, 21 times the longest half-life: what it has not read weighs less than 2⁻²¹.
/// A few thousand tokens in `make test`. `scripts/soak` asks for more, in a folder where states and log are kept: what was interrupted
/// goes on from there.
@Suite struct SoakTests {
  private struct Plan {
    private static let environment = ProcessInfo.processInfo.environment
    /// Whether this test runs alone, so that memory and descriptors are its own.
    let isAlone = environment["HATCHLING_SOAK_TOKENS"] != nil
    let tokens = environment["HATCHLING_SOAK_TOKENS"].flatMap { Int($0) } ?? 3000
    let folder = environment["HATCHLING_SOAK_FOLDER"]
    let text = environment["HATCHLING_SOAK_TEXT"]
    var piece: Int { isAlone ? min(250_000, tokens / 2) : 1000 }
    /// The last tokens of a piece, that are compared.
    var window: Int { min(1000, piece / 2) }
    let lead = 16_384
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
  private let plan = Plan()
  private let one = Workers(threads: 1)

  @Test func aLongStreamStaysRight() throws {
    let weights = try Model.load(
      path: Self.root.appending(path: "Sources/HatchlingModel/Resources/shipped.safetensors").path
    ).weights
    let text = plan.text.map { URL(filePath: $0) } ?? Self.root.appending(path: "Benchmarks/held-out.txt")
    let bytes = try Data(contentsOf: text).map(Int.init)
    let graph = try CircuitEngine(Compiler().circuit(from: weights).graph, workers: one)
    let exact = try CircuitEngine(
      Compiler().circuit(from: weights.converted(to: Double.self)).graph, workers: one)
    let soak = try plan.folder.map { try SoakFolder($0) }
    try soak?.restore(graph)
    var (first, rows): (SoakRow?, Int) = (nil, 0)
    let start = ContinuousClock.now
    while graph.position < plan.tokens {
      let end = min(graph.position + plan.piece, plan.tokens)
      var row = try compare(graph, exact, until: end) { bytes[$0 % bytes.count] }
      row.seconds = (ContinuousClock.now - start).inSeconds
      row.phaseError = Self.phaseError(weights.frequencies, at: graph.position)
      soak?.append(row)
      try check(row, since: first)
      rows += 1
      // The first pieces fill what is kept for good.
      if rows == 2 { first = row }
      try soak?.save(graph)
    }
    #expect(graph.position == plan.tokens)
    #expect(rows > 0 || plan.isAlone, "nothing was compared")
  }

  /// Reads on to a token, and compares the last ones before it.
  private func compare(
    _ graph: CircuitEngine<Float>, _ exact: CircuitEngine<Double>, until end: Int, _ token: (Int) -> Int
  ) throws -> SoakRow {
    let compared = max(graph.position, end - plan.window)
    while graph.position < compared { try graph.step(token(graph.position)) }
    exact.reset()
    var empty = exact.save()
    empty.position = max(0, compared - plan.lead)
    try exact.restore(empty)
    while exact.position < compared { try exact.step(token(exact.position)) }
    var row = SoakRow()
    let count = Double(end - compared)
    while graph.position < end {
      try graph.step(token(graph.position))
      try exact.step(token(exact.position))
      let (found, right) = (Predictions(logits: graph.logits), Predictions(logits: exact.logits))
      let divergence = right.divergence(from: found)
      row.divergence += divergence / count
      row.worst = divergence.isNaN ? .nan : max(row.worst, divergence)
      let next = token(graph.position)
      row.loss += found.loss(of: next) / count
      row.exactLoss += right.loss(of: next) / count
    }
    row.tokens = graph.position
    return row
  }

  private func check(_ row: SoakRow, since first: SoakRow?) throws {
    // At 1e-8 log probabilities differ by some 1e-4. `<=` fails for NaN.
    try #require(row.divergence <= 1e-8 && row.worst <= 1e-6, "\(row.line)")
    try #require(abs(row.loss - row.exactLoss) <= 1e-4 && row.loss > 0, "\(row.line)")
    try #require(row.phaseError <= 1e-6, "\(row.line)")
    guard plan.isAlone, let first else { return }
    try #require(row.descriptors == first.descriptors, "\(row.line)")
    try #require(row.kibibytes <= first.kibibytes + 32 << 10, "\(row.line)")
  }

  /// The largest error of cos φ and sin φ in float, against t · f in exact arithmetic: a float32 frequency times a token below 2²⁹ is
  /// exact in float64.
  private static func phaseError(_ frequencies: [Float], at position: Int) -> Double {
    var cosines = [Float](repeating: 9, count: frequencies.count)
    var sines = cosines
    cosines.withUnsafeMutableBufferPointer { cosines in
      sines.withUnsafeMutableBufferPointer { sines in
        guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
        Phases(frequencies: frequencies).fill(cosines: cosine, sines: sine, at: position)
      }
    }
    return frequencies.indices.reduce(frequencies.isEmpty ? .infinity : 0) { largest, index in
      let turns = Double(position) * Double(frequencies[index])
      let angle = 2 * Double.pi * (turns - turns.rounded(.down))
      let (a, b) = (Double(cosines[index]) - cos(angle), Double(sines[index]) - sin(angle))
      return max(largest, abs(a), abs(b))
    }
  }
}

/// A line of the log.
private struct SoakRow {
  static let header =
    "tokens,seconds,mean_kl,worst_kl,loss,loss_in_double,phase_error,resident_kib,descriptors"
  var (tokens, seconds, divergence, worst, loss, exactLoss, phaseError) = (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
  let kibibytes = Self.residentKibibytes
  let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1

  var line: String {
    "\(tokens),\(Int(seconds)),\(divergence),\(worst),\(loss),\(exactLoss),\(phaseError),\(kibibytes),\(descriptors)"
  }

  private static var residentKibibytes: Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ")
    return (pages?.dropFirst().first.flatMap { Int($0) } ?? -1) * sysconf(Int32(_SC_PAGESIZE)) / 1024
  }
}

/// Where a soak keeps its log, and the state to go on from.
private final class SoakFolder {
  private let path: String
  private var log: String { path + "/soak.csv" }

  init(_ path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: log) { try (SoakRow.header + "\n").write(toFile: log) }
  }

  private func state(_ position: Int) -> String { "\(path)/graph-\(position).state" }

  private var saved: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("graph-"), name.hasSuffix(".state") else { return nil }
      return Int(name.dropFirst(6).dropLast(6))
    }.sorted()
  }

  func save(_ graph: CircuitEngine<Float>) throws {
    let older = saved.filter { $0 != graph.position }
    try StateFile.write(graph.save(), to: state(graph.position))
    for position in older { try FileManager.default.removeItem(atPath: state(position)) }
  }

  /// Goes on from the last state; lines of the log behind it are left out.
  func restore(_ graph: CircuitEngine<Float>) throws {
    let position = saved.last ?? 0
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let kept = lines.filter { $0.split(separator: ",").first.flatMap { Int($0) } ?? 0 <= position }
    try (kept.joined(separator: "\n") + "\n").write(toFile: log)
    guard position > 0 else { return }
    try graph.restore(StateFile.read(state(position)))
  }

  func append(_ row: SoakRow) {
    guard let file = FileHandle(forWritingAtPath: log) else { return }
    file.seekToEndOfFile()
    file.write(Data((row.line + "\n").utf8))
    try? file.close()
  }
}

extension String {
  fileprivate func write(toFile path: String) throws {
    try write(toFile: path, atomically: true, encoding: .utf8)
  }
}
