import Foundation
import Testing

/// A rule that reaches further than Definition 2 allows does not type-check.
@Suite struct LocalityTests {
  /// The modules lie beside the test bundle.
  private static let modules =
    Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?
    .deletingLastPathComponent() ?? Bundle.main.bundleURL

  /// Whether the modules were built with Open MPI.
  private static var hasMPI: Bool {
    #if MPI
      true
    #else
      false
    #endif
  }

  /// What the C compiler needs to find the headers of the system libraries; nil when pkg-config cannot say.
  static let headerFlags: [String]? = {
    let answer = try? run(["pkg-config", "--cflags", "openblas", "libcrypto"] + (hasMPI ? ["ompi-c"] : []))
    guard let answer, answer.status == 0 else { return nil }
    return answer.output.split(whereSeparator: \.isWhitespace).map(String.init)
  }()

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// A rule with this body, written where an engine, its graph and global variables are in sight.
  private func typeChecks(_ body: String, globals: String = "") throws -> (passes: Bool, messages: String) {
    let source = FileManager.default.temporaryDirectory.appendingPathComponent(
      "rule-\(UUID().uuidString).swift")
    defer { try? FileManager.default.removeItem(at: source) }
    let text = """
      import HatchlingDynamics
      import HatchlingExecution
      import HatchlingGraph
      \(globals)
      func network(engine: CircuitEngine<Double>, graph: CircuitGraph<Double>, step: Int) {
        _ = (engine.attentionState(layer: 1), graph.drivesX, step)
        enum Rule {
          static func deliver(_ sent: Double, over synapse: SynapseView<Double>) -> Channels<Double> {
            \(body)
          }
        }
      }
      """
    try Data(text.utf8).write(to: source)
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    // Checkouts lie in the same scratch folder as the modules, some levels up.
    let shims = try #require(
      sequence(first: Self.modules) { $0.deletingLastPathComponent() }.prefix(4)
        .map { $0.appendingPathComponent("checkouts/swift-numerics/Sources/_NumericsShims/include") }
        .first { FileManager.default.fileExists(atPath: $0.path) })
    let maps = [
      "\(Self.modules.path)/CKernels.build", shims.path, "\(root.path)/Sources/COpenBLAS",
      "\(root.path)/Sources/CCrypto",
      "\(root.path)/Sources/CMPI",
    ].prefix(Self.hasMPI ? 5 : 4).map { "-fmodule-map-file=\($0)/module.modulemap" }
    let headers = ["-I\(shims.path)", "-I\(root.path)/Sources/CKernels/include"] + (Self.headerFlags ?? [])
    let result = try Self.run(
      [
        "swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-I", Self.modules.path, "-I",
        Self.modules.appendingPathComponent("Modules").path, source.path,
      ] + (maps + headers).flatMap { ["-Xcc", $0] })
    return (result.status == 0, result.output)
  }

  @Test(.enabled(if: headerFlags != nil, "no pkg-config, or it does not know openblas and libcrypto"))
  func aLocalRuleTypeChecksAndOnesThatReachFurtherDoNot() throws {
    let local = try typeChecks("Channels(excitation: sent * synapse.weight)")
    try #require(local.passes, "\(local.messages)")
    let closes = "enum declaration cannot close over value"
    let reaches = [
      "Channels(excitation: synapse.postsynaptic.neighbours[0].weight)": "has no member 'postsynaptic'",
      "Channels(excitation: synapse.graph.drivesX[row: 0, column: 0])": "has no member 'graph'",
      "synapse.weight = 2; return Channels()": "'weight' is a 'let' constant",
      "Channels(excitation: engine.attentionState(layer: 1)[0, 0])": "\(closes) 'engine'",
      "_ = graph.drivesX; return Channels()": "\(closes) 'graph'",
      "Channels(excitation: Double(step))": "\(closes) 'step'",
    ]
    for (body, complaint) in reaches {
      let result = try typeChecks(body)
      #expect(!result.passes && result.messages.contains(complaint), "\(body): \(result.messages)")
    }
    // A constant is nobody's state; a variable that every rule may write is.
    let reader = "Channels(excitation: sent * shared)"
    let constant = try typeChecks(reader, globals: "let shared = 2.0")
    #expect(constant.passes, "\(constant.messages)")
    let variable = try typeChecks(reader, globals: "var shared = 2.0")
    #expect(
      !variable.passes && variable.messages.contains("'shared' is not concurrency-safe"),
      "\(variable.messages)")
  }
}
