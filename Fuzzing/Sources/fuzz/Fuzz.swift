import CFuzzing
import Foundation
import HatchlingNumerics

/// `FUZZ_TARGET=pickle fuzz [libFuzzer's options] CORPUS`. With `FUZZ_SEEDS=folder` it writes the target's seeds there and ends.
@main enum Fuzz {
  nonisolated(unsafe) private static var target = FuzzTarget.safetensors
  /// Per input: 4 times its bytes and this much memory, and a second of processor time.
  private static let spareBytes = 64 << 20
  private static let seconds = 1.0

  static func main() {
    let environment = ProcessInfo.processInfo.environment
    guard let name = environment["FUZZ_TARGET"], let chosen = FuzzTarget(rawValue: name) else {
      fatalError("FUZZ_TARGET: one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    target = chosen
    if let folder = environment["FUZZ_SEEDS"] { return writeSeeds(to: folder) }
    // What is made once is not the first input's.
    for seed in seeds() { run(seed, isMeasured: false) }
    fuzzing_count_memory()
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
      LLVMFuzzerRunDriver(&count, &arguments) { bytes, size in
        Fuzz.run(Array(UnsafeBufferPointer(start: bytes, count: size)), isMeasured: true)
        return 0
      })
  }

  private static func seeds() -> [[UInt8]] {
    do { return try target.seeds() } catch { fatalError("\(target) has no seeds: \(error)") }
  }

  private static func writeSeeds(to folder: String) {
    for (index, seed) in seeds().enumerated() {
      let path = "\(folder)/seed-\(index)"
      guard FileManager.default.createFile(atPath: path, contents: Data(seed)) else {
        fatalError("cannot write \(path)")
      }
    }
  }

  private static func run(_ input: [UInt8], isMeasured: Bool) {
    fuzzing_forget_peak()
    let (before, start) = (fuzzing_bytes(), processorSeconds())
    do { try target.run(input) } catch { fatalError("\(error)") }
    guard isMeasured else { return }
    let (bytes, time) = (fuzzing_peak() - before, processorSeconds() - start)
    if bytes > 4 * input.count + spareBytes {
      fatalError("\(input.count) bytes of input took \(bytes) bytes of memory")
    }
    if time > seconds { fatalError("\(input.count) bytes of input took \(time) s of processor time") }
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
