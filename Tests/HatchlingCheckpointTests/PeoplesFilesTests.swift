import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import Testing

/// Files that people have, beside the plain ones: `Fixtures/make.py` makes them with PyTorch and NumPy. Each holds the network of
/// `plain.pt`, so that the right answer is that network to the last bit.
@Suite struct PeoplesFilesTests {
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  private func path(_ name: String) -> String {
    Self.fixtures.appendingPathComponent("cases").appendingPathComponent(name).path
  }

  private func load(_ name: String, layers: Int? = nil, prefix: String? = nil) throws -> Model {
    try Model.load(path: path(name + ".pt"), layers: layers, prefix: prefix)
  }

  private func plain() throws -> Model {
    try Model.load(path: Self.fixtures.appendingPathComponent("plain.pt").path, layers: 3)
  }

  @Test(arguments: [
    "accepted-2", "accepted-4", "accepted-5", "pair", "keep-vars", "objects", "probe", "mac",
    "network-and-half",
    "layers-frequencies", "whole-module", "whole-module-inside", "config-dataclass", "config-namespace",
    "config-slots",
    "config-itself", "config-mapping", "config-default",
  ])
  func theNetworkInsideIsFound(name: String) throws {
    let model = try load(name)
    #expect(try model.fingerprint == plain().fingerprint)
    #expect(model.hyperparameters.layers == 3)
    #expect(model.warnings.isEmpty)
  }

  @Test func metadataOfAllKindsIsShown() throws {
    let metadata = try load("accepted-2").metadata
    #expect(metadata["seed"] == "9223372036854788153")
    #expect(metadata["negative"] == "-9223372036854775809")
    #expect(metadata["long"] == "an integer of 26 bytes")
    #expect(metadata["ordered.a"] == "1")
    let file = try CheckpointFile.open(path("accepted-2.pt"))
    #expect(
      file.opaque["float8"] == "float8_e4m3fn" && file.opaque["sparse"] != nil
        && file.opaque["negated"] != nil)
    #expect(file.opaque["huge"] != nil && file.tensors["huge"] == nil)
    #expect(file.tensors["uint16"]?.integers == [1, 1, 1])
    #expect(try load("config-namespace").metadata["config.n_layer"] == "3")
    #expect(try CheckpointFile.open(path("objects.pt")).opaque["array"] == "numpy.ndarray")
  }

  @Test func oneOfSeveralNetworksIsChosenByName() throws {
    #expect(
      throws: ModelError.ambiguousNetwork(
        path: path("two-networks.pt"), wanted: nil, found: ["model", "ema.module"])
    ) { try load("two-networks") }
    let plain = try plain()
    let model = try load("two-networks", prefix: "model")
    #expect(model.prefix == "model." && model.fingerprint == plain.fingerprint)
    for prefix in ["ema", "ema.module", "ema.module."] {
      let ema = try load("two-networks", prefix: prefix)
      #expect(ema.prefix == "ema.module." && ema.hyperparameters.layers == 3)
      #expect(ema.weights.encoder.elements == plain.weights.encoder.elements.map { 2 * $0 })
    }
    for prefix in ["em", "config", "", "ema.modul"] {
      #expect(
        complaint { _ = try load("two-networks", prefix: prefix) }?.contains("model, ema.module") == true)
    }
    #expect(try load("top-and-ema", prefix: "").fingerprint == plain.fingerprint)
    #expect(try load("top-and-ema", prefix: "ema").prefix == "ema.")
  }

  @Test func layersAreThoseOfTheNetworksOwnConfiguration() throws {
    #expect(try load("own-config", prefix: "model").hyperparameters.layers == 3)
    #expect(try load("own-config", prefix: "ema").hyperparameters.layers == 3)
    let found = ["args.n_layer 4", "config.n_layer 3"]
    #expect(
      throws: ModelError.ambiguousMetadata(
        path: path("two-configs.pt"), key: "n_layer", found: found)
    ) { try load("two-configs") }
    #expect(try load("two-configs", layers: 3).warnings.count == 1)
    #expect(
      complaint { _ = try load("two-probes") }?.contains("a_probe.n_layer 3, b_probe.n_layer 4") == true)
    let guessed = try load("only-a-probe")
    #expect(guessed.hyperparameters.layers == 3 && guessed.warnings.count == 1)
  }

  @Test(arguments: [
    ("layers-other-frequencies", "attns.0.freqs, attns.2.freqs differ"), ("sparse-encoder", "sparse"),
    ("float8-encoder", "float8_e5m2"), ("array-encoder", "numpy.ndarray"),
    ("float8-frequencies", "'attn.freqs'"),
    ("expanded-far", "repeats"), ("compressed", "zip -0 -r"), ("two-archives", "'other/', 'probe/'"),
    ("script", "TorchScript"), ("legacy", "before PyTorch 1.6"),
  ])
  func whatCannotBeUsedIsNamed(name: String, part: String) throws {
    #expect(complaint { _ = try load(name) }?.contains(part) == true)
  }

  @Test func partsOfAnotherNetworkAreMentioned() throws {
    let model = try load("gate")
    #expect(try model.fingerprint == plain().fingerprint)
    #expect(model.warnings.count == 1 && model.warnings[0].contains("model.lm_gate"))
  }

  @Test func aStrideOfZeroRepeatsNumbers() throws {
    let encoder = try load("expanded").weights.encoder
    let right: [Float] = (0..<48).map { index in (100 + Float(index % 4)) / 64 }
    #expect(encoder.elements == right)
  }

  // MARK: Frequencies in 16 bits

  @Test(arguments: ["formula", "merged"], ["bfloat16", "float16", "bfloat16-widened", "float16-widened"])
  func roundedFrequenciesAreTheFormulasAgain(name: String, format: String) throws {
    let exact = try load("\(name)-float32", layers: 3)
    #expect(exact.warnings.isEmpty)
    let model = try load("\(name)-\(format)", layers: 3)
    try #require(model.weights.frequencies.count == 64)
    for (found, right) in zip(model.weights.frequencies, exact.weights.frequencies) {
      // PyTorch's power and ours may differ in the last bit; 16 bits differ in the ninth or twelfth.
      #expect(abs(found - right) <= right.ulp)
    }
    #expect(model.warnings.count == 1 && model.warnings[0].contains("computed again"))
  }

  @Test(arguments: ["bfloat16", "float16", "bfloat16-widened", "float16-widened"])
  func otherRoundedFrequenciesAreLeftWithAWarning(format: String) throws {
    let exact = try load("other-float32", layers: 3)
    #expect(exact.warnings.isEmpty)
    let model = try load("other-\(format)", layers: 3)
    #expect(model.warnings.count == 1 && model.warnings[0].contains("100 tokens"))
    var largest: Float = 0
    for (found, right) in zip(model.weights.frequencies, exact.weights.frequencies) {
      largest = max(largest, abs(found - right) / right)
    }
    #expect(largest > 1e-4 && largest < 0.02)
  }

  // MARK: Damage

  /// Bytes of the pickle and the directory changed at random: an error made for the user, or a network.
  @Test(arguments: 0..<300)
  func flippedBytesNeverCrash(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let names = [
      "accepted-2", "accepted-5", "objects", "whole-module", "expanded", "keep-vars", "two-networks",
    ]
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(names[seed % names.count] + ".pt"))))
    for _ in 0..<3 {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hatchling-\(UUID().uuidString).pt")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let text = complaint { _ = try Model.load(path: file.path, layers: 1) }
    #expect(text?.hasPrefix("an internal error") != true, "seed \(seed)")
  }

  // MARK: Arrays

  @Test func arraysInFortranOrderAreReadRowByRow() throws {
    let array = try NumpyArray.read(path("fortran.npy"))
    let (integers, doubles) = ((0..<12).map { Int64($0) }, (0..<12).map { Double($0) })
    #expect(array.shape == [3, 4])
    #expect(array.view.integers == integers)
    #expect(array.view.doubles == doubles)
    #expect(complaint { _ = try CheckpointFile.open(path("arrays.npz")) }?.contains(".npz") == true)
    #expect(complaint { _ = try CheckpointFile.open(path("fortran.npy")) }?.contains("NumPy array") == true)
  }
}
