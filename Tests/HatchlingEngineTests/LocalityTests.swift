import Foundation
import Testing

/// A rule that reaches further than Definition 2 allows does not type-check.
@Suite struct LocalityTests {
  /// The modules lie beside the test bundle.
  private static let modules =
    Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?
    .deletingLastPathComponent() ?? Bundle.main.bundleURL

  private func typeChecks(_ body: String) throws -> (passes: Bool, messages: String) {
    let source = FileManager.default.temporaryDirectory.appendingPathComponent(
      "rule-\(UUID().uuidString).swift")
    defer { try? FileManager.default.removeItem(at: source) }
    let text = """
      import HatchlingEngine
      import HatchlingGraph
      enum Rule {
        static func deliver(_ sent: Double, over synapse: SynapseView<Double>) -> Channels<Double> {
          \(body)
        }
      }
      """
    try Data(text.utf8).write(to: source)
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    var arguments = [
      "swiftc", "-typecheck", "-swift-version", "6", "-I", Self.modules.path, "-I",
      Self.modules.appendingPathComponent("Modules").path,
    ]
    for map in ["CKernels.build/module.modulemap"] {
      arguments += ["-Xcc", "-fmodule-map-file=\(Self.modules.appendingPathComponent(map).path)"]
    }
    let shims = root.appendingPathComponent(".build/checkouts/swift-numerics/Sources/_NumericsShims/include")
    arguments += [
      "-Xcc", "-fmodule-map-file=\(shims.path)/module.modulemap", "-Xcc", "-I\(shims.path)",
      "-Xcc", "-fmodule-map-file=\(root.path)/Sources/COpenBLAS/module.modulemap",
      "-Xcc", "-I/usr/include/x86_64-linux-gnu/openblas-pthread", "-Xcc",
      "-I\(root.path)/Sources/CKernels/include", source.path,
    ]
    process.arguments = arguments
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let messages = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus == 0, messages)
  }

  @Test func aLocalRuleTypeChecksAndOnesThatReachFurtherDoNot() throws {
    let local = try typeChecks("Channels(excitation: sent * synapse.weight)")
    try #require(local.passes, "\(local.messages)")
    let reaches = [
      "Channels(excitation: synapse.postsynaptic.neighbours[0].weight)": "has no member 'postsynaptic'",
      "Channels(excitation: synapse.graph.drivesX[row: 0, column: 0])": "has no member 'graph'",
      "synapse.weight = 2; return Channels()": "'weight' is a 'let' constant",
      "engine.attentionState(layer: 1); return Channels()": "cannot find 'engine'",
    ]
    for (body, complaint) in reaches {
      let result = try typeChecks(body)
      #expect(!result.passes && result.messages.contains(complaint), "\(body): \(result.messages)")
    }
  }
}
