import Foundation
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// A small file that names many layers is refused with one line, not by the machine running out of memory.
@Suite struct StateMemoryTests {
  /// 12 MB of zeros with 10 000 layers: 713 GB of plastic weights.
  private func model(_ folder: TemporaryFolder) throws -> String {
    let (n, vocabulary) = (1 << 20, 256)
    let weights = Weights<Float>(
      hyperparameters: Hyperparameters(
        neurons: n, synapticDimension: 1, heads: 1024, layers: 10_000, vocabulary: vocabulary),
      decoderX: Matrix(rows: n, columns: 1), decoderY: Matrix(rows: n, columns: 1),
      encoder: Matrix(rows: n, columns: 1), embedding: Matrix(rows: vocabulary, columns: 1),
      readout: Matrix(rows: 1, columns: vocabulary), frequencies: [Float](repeating: 0, count: 1024))
    try weights.save(to: folder.path("m.safetensors"))
    return folder.path("m.safetensors")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.physicalMemory < 1 << 40, "this machine could hold it"))
  func manyLayersAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = try model(folder)
    var calls = [
      ["step", "--text", "a"], ["step", "--text", "a", "--engine", "tensor", "--precision", "double"],
      ["generate", "--prompt", "a", "--count", "1"], ["verify", "--text", "ab"],
      ["verify", "--text", "ab", "--weights", "int8"],
    ]
    #if Topology
      calls.append(["degrees", "--graph", "sigma", "--text", "a", "--out", folder.path("out")])
    #endif
    for call in calls {
      let run = try CommandRun.run(call + ["--model", path])
      #expect(run.isOneLine("10000 layers", "more than half of this machine's memory"), "\(run.errors)")
    }
  }
}
