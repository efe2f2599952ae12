import Foundation
import Testing

/// What the fuzz targets begin with and every input that once failed, without the fuzzer.
@Suite struct ReplayTests {
  @Test(arguments: FuzzTarget.allCases.filter { $0 != .networks })
  func seedsPass(target: FuzzTarget) throws {
    let seeds = try target.seeds()
    #expect(!seeds.isEmpty)
    for seed in seeds { try target.run(seed) }
  }

  /// A network that overflows has nothing to compare; few do.
  @Test func randomNetworksAreCompared() throws {
    let outcomes = try FuzzTarget.networks.seeds().map { try RandomNetworks.compare($0) }
    #expect(outcomes.count { $0.comparisons > 100 } > outcomes.count * 3 / 4)
    #expect(outcomes.count { $0.isFinite && $0.isTameInFloat } > outcomes.count / 2)
  }

  /// `Fuzzing/Corpus`, a folder per target.
  @Test func whatOnceFailedPasses() throws {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Fuzzing/Corpus")
    var replayed = 0
    for target in FuzzTarget.allCases {
      let folder = corpus.appending(path: target.rawValue).path
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let input = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        do { try target.run([UInt8](input)) } catch { Issue.record("\(target) \(name): \(error)") }
        replayed += 1
      }
    }
    #expect(replayed > 0)
  }
}
