import Foundation
import HatchlingCommands
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// `step` with several FILEs: read at once, told one after the other.
@Suite struct SeveralStreamsTests {
  private let texts = [
    "To be", "or not to be, that is the question", "x", "Whether 'tis nobler", "in the mind",
  ]

  private func reader(_ weights: Weights<Float>) throws -> StreamReader<Float> {
    let folder = try TemporaryFolder()
    try weights.save(to: folder.path("m.safetensors"))
    return try StreamReader(
      EngineDescription(.circuit), Model.load(path: folder.path("m.safetensors"), variant: .normfree),
      workers: Workers(threads: 2))
  }

  /// What is said of several files is what is said of each, and the sums are theirs; so it is when files must be read one by one.
  @Test func linesComeInTheOrderOfTheFiles() throws {
    let folder = try TemporaryFolder()
    let paths = texts.indices.map { folder.path("\($0).txt") }
    for (path, text) in zip(paths, texts) { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    let together = try CommandRun.run(["step", "--json"] + paths)
    let inTurn = try CommandRun.run(["step", "--json", "--logits", folder.path("l.npy")] + paths)
    #expect(together.status == 0 && together.errors.isEmpty && inTurn.status == 0)
    let lines = together.output.split(separator: "\n")
    #expect(lines.count == texts.joined().utf8.count + 1)
    #expect(lines.dropLast() == inTurn.output.split(separator: "\n").dropLast())
    var single: [String] = []
    for (stream, path) in paths.enumerated() {
      let run = try CommandRun.run(["step", "--json", path])
      single += run.output.split(separator: "\n").dropLast().map { "\(stream): \($0)" }
    }
    let numbered = lines.dropLast().map { line in
      let stream = line.firstMatch(of: /"stream":(\d),/)
      return "\(stream.map { String($0.1) } ?? "none"): \(line.replacing(/"stream":\d,/, with: ""))"
    }
    #expect(numbered == single)
    func summary(_ run: CommandRun) throws -> [String: Double] {
      let last = try #require(run.output.split(separator: "\n").last)
      let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: [String: Double]]
      return try #require(object?["summary"]).filter { !["seconds", "tokens_per_second"].contains($0.key) }
    }
    #expect(try summary(together) == summary(inTurn) && summary(together).count > 8)
  }

  /// More texts than are read at once, from a saved state; the first that fails is named when all before it has been told.
  @Test func manyTextsAndOneThatFails() throws {
    let sizes = Hyperparameters(
      neurons: 24, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 9, variant: .normfree)
    var weights = Weights.random(sizes, seed: 6)
    weights.embedding = Matrix(
      rows: 9, columns: 8, weights.embedding.elements.enumerated().map { $0 / 8 == 8 ? $1 * 1e38 : $1 })
    var all = try reader(weights)
    let alone = try reader(weights)
    var streams = (0..<21).map {
      TokenStream(name: "\($0)", tokens: randomTokens(1 + $0 * 7 % 13, vocabulary: 8, seed: UInt64($0)))
    }
    func positions(_ reader: StreamReader<Float>, _ streams: [TokenStream]) throws -> [String] {
      var lines: [String] = []
      _ = try reader.report(on: streams, afterToken: { _ in }, show: { lines.append($0.text) })
      return lines
    }
    var expected: [String] = []
    for stream in streams {
      try alone.rewind()
      expected += try positions(alone, [stream])
    }
    // An empty one says nothing.
    streams.insert(TokenStream(name: "empty", tokens: []), at: 20)
    for most in [1 << 17, 5, 0] {
      all.mostWaiting = most
      try all.rewind()
      let lines = try positions(all, Array(streams[..<20]))
      #expect(expected.starts(with: lines) && lines.count > 100, "\(most) waiting")
      try all.rewind()
      #expect(try positions(all, streams).count == expected.count, "\(most) waiting")
    }
    streams[7] = TokenStream(name: "7", tokens: [1, 2, 8, 3])
    streams[12] = TokenStream(name: "12", tokens: [8])
    var lines: [String] = []
    let before = streams[..<7].reduce(2) { $0 + $1.tokens.count }
    let error = #expect(throws: TextReadingError.self) {
      try all.rewind()
      _ = try all.report(on: streams, afterToken: { _ in }, show: { lines.append($0.text) })
    }
    #expect(error?.stream == 7 && error?.name == "7" && (error?.cause as? NotFiniteError)?.position == 2)
    #expect(lines.count == before && Array(lines.dropLast(2)) == Array(expected[..<(before - 2)]))
  }
}
