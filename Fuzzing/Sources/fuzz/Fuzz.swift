import CFuzzing
import Foundation

/// `FUZZ_TARGET=pickle fuzz [libFuzzer's options] CORPUS`. With `FUZZ_SEEDS=folder` it writes the target's seeds there and ends.
@main enum Fuzz {
  nonisolated(unsafe) private static var target = FuzzTarget.safetensors

  static func main() {
    let environment = ProcessInfo.processInfo.environment
    guard let name = environment["FUZZ_TARGET"], let chosen = FuzzTarget(rawValue: name) else {
      fatalError("FUZZ_TARGET: one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    target = chosen
    if let folder = environment["FUZZ_SEEDS"] { return writeSeeds(to: folder) }
    // What is made once is not the first input's.
    for seed in seeds() { run { try target.run(seed) } }
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
      LLVMFuzzerRunDriver(&count, &arguments) { bytes, size in
        Fuzz.run { try Fuzz.target.runMeasured(Array(UnsafeBufferPointer(start: bytes, count: size))) }
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

  private static func run(_ work: () throws -> Void) {
    do { try work() } catch { fatalError("\(error)") }
  }
}
