import Foundation

/// The built command, run with real files.
public struct CommandRun {
  public let status: Int32
  /// Whether it ended by itself, not by a signal.
  public let exited: Bool
  public let output: String
  public let errors: String

  public static let binary =
    Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?
    .deletingLastPathComponent().appendingPathComponent("hatchling")
    ?? Bundle.main.bundleURL.appendingPathComponent("hatchling")

  /// Runs to the end, in the folder `place` if one is named. `during` is called with the process while it runs, to send it signals.
  public static func run(
    _ arguments: [String], program: String? = nil, environment: [String: String] = [:],
    in place: String? = nil,
    during: ((Process) throws -> Void)? = nil
  ) throws -> CommandRun {
    let process = Process()
    process.executableURL = program.map { URL(fileURLWithPath: $0) } ?? binary
    process.arguments = arguments
    if let place { process.currentDirectoryURL = URL(fileURLWithPath: place) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, not pipes: a pipe that nobody reads would stop a program that writes much.
    let scratch = try TemporaryFolder()
    let (output, errors) = (scratch.path("output"), scratch.path("errors"))
    for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    try during?(process)
    process.waitUntilExit()
    return CommandRun(
      status: process.terminationStatus, exited: process.terminationReason == .exit,
      output: try scratch.text("output"), errors: try scratch.text("errors"))
  }

  /// Runs with a last argument whose bytes are given as `printf` of a shell takes them, such as `\\377`.
  public static func run(
    _ arguments: [String], last bytes: String, environment: [String: String] = [:],
    in place: String? = nil
  ) throws -> CommandRun {
    let script = "last=$(printf -- '\(bytes)'); exec \"$0\" \"$@\" \"$last\""
    return try run(
      ["-c", script, binary.path] + arguments, program: "/bin/sh", environment: environment, in: place)
  }

  /// Bad input: status 2 and one line that holds every one of `parts`.
  public func isOneLine(_ parts: String...) -> Bool {
    exited && status == 2 && output.isEmpty && errors.split(separator: "\n").count == 1
      && parts.allSatisfy(errors.contains)
  }
}

/// A folder of its own for one test, removed with it.
public final class TemporaryFolder {
  public let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("hatchling-\(UUID().uuidString)")

  public init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  public func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
  }
  @discardableResult
  public func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }
  public var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
  }
}
