import CFuzzing
import Foundation
import HatchlingNumerics
import Testing

/// What the fuzz targets begin with and every input that once failed, without the fuzzer.
@Suite struct ReplayTests {
  @Test(arguments: FuzzTarget.allCases.filter { $0 != .networks })
  func seedsPass(target: FuzzTarget) throws {
    let seeds = try target.seeds()
    #expect(!seeds.isEmpty)
    // What is made once and kept is not any input's.
    for seed in seeds { try target.run(seed) }
    for seed in seeds { try target.runMeasured(seed) }
  }

  /// Memory is really counted, and given back: on this thread, whatever others do.
  @Test func memoryIsCounted() throws {
    fuzzing_count_memory()
    fuzzing_forget_peak()
    let before = fuzzing_bytes()
    for bytes in [1 << 20, 1 << 26] {
      withExtendedLifetime(NumberStorage<UInt8>(zeros: bytes)) {}
      withExtendedLifetime([UInt8](repeating: 1, count: bytes)) {}
    }
    let isSanitized = ProcessInfo.processInfo.environment["TSAN_OPTIONS"] != nil
    #expect(isSanitized || (1 << 26..<1 << 26 + 1 << 20).contains(fuzzing_peak() - before))
    #expect(isSanitized || abs(fuzzing_bytes() - before) < 1 << 16)
  }

  /// A network that overflows has nothing to compare; few do. `HATCHLING_NETWORKS=100000` compares that many, some 40 a second, or with
  /// `5000:100000` those from number 5000 on.
  @Test func randomNetworksAreCompared() throws {
    let asked = ProcessInfo.processInfo.environment["HATCHLING_NETWORKS"] ?? "32"
    let bounds = try asked.split(separator: ":").map { try #require(Int($0)) }
    let numbers = (bounds.count == 2 ? bounds[0] : 0)..<(try #require(bounds.last))
    var (compared, tame, comparisons, largest) = (0, 0, 0, 0.0)
    for number in numbers {
      let outcome: RandomNetworks.Outcome
      do { outcome = try RandomNetworks.compare([UInt8]("seed \(number)".utf8)) } catch {
        Issue.record("network \(number): \(error)")
        continue
      }
      if outcome.comparisons > 100 { compared += 1 }
      if outcome.isFinite && outcome.isTameInFloat { tame += 1 }
      comparisons += outcome.comparisons
      largest = max(largest, outcome.largest)
      if (number + 1) % 1000 == 0 {
        print(
          "networks up to \(number): \(compared) compared, \(tame) in float too, \(comparisons) comparisons, largest \(largest)"
        )
      }
    }
    #expect(compared > numbers.count * 3 / 4)
    #expect(tame > numbers.count / 2)
  }

  /// `Fuzzing/Corpus`, a folder per target, and the files of the other tests.
  @Test func whatOnceFailedPasses() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let fixtures = root.appending(path: "Tests/HatchlingCheckpointTests/Fixtures")
    var replayed: [FuzzTarget: Int] = [:]
    func replay(_ target: FuzzTarget, _ folder: URL, _ ending: String = "") throws {
      if let seed = try target.seeds().first { try target.run(seed) }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for name in names where name.hasSuffix(ending) {
        let input = try Data(contentsOf: folder.appending(path: name))
        do { try target.runMeasured([UInt8](input)) } catch {
          Issue.record("\(target) \(name): \(error)")
        }
        replayed[target, default: 0] += 1
      }
    }
    for target in FuzzTarget.allCases {
      try replay(target, root.appending(path: "Fuzzing/Corpus/\(target)"))
    }
    for folder in [fixtures, fixtures.appending(path: "cases")] {
      try replay(.archive, folder, ".pt")
      try replay(.numpy, folder, ".npy")
    }
    #expect(replayed[.files, default: 0] > 0 && replayed[.archive, default: 0] > 40)
  }
}
