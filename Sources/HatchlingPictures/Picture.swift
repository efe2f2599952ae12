import Foundation
import HatchlingCheckpoint

/// A picture that gnuplot draws: numbers, and the commands that make a plot of them.
///
/// Numbers and commands are written beside the picture, so that anybody can draw it again or differently: `gnuplot NAME.gp` in the
/// folder.
public struct Picture: Sendable {
  /// The files' name without an ending.
  public let name: String
  /// Columns of numbers, written to `NAME.dat`, or to `NAME-TABLE.dat` when a table has a name.
  public var tables: [Table] = []
  /// gnuplot commands, one plot, without `set terminal` and `set output`. Tables are named by ``reference(to:)``; what comes from
  /// outside, such as a model's name in a title, goes through ``quoted(_:)``.
  public var commands: [String] = []

  public struct Table: Sendable {
    public let name: String
    /// What the columns are; written as a comment above them.
    public let columns: [String]
    public var rows: [[Double]]

    public init(_ name: String = "", columns: [String], rows: [[Double]]) {
      self.name = name
      self.columns = columns
      self.rows = rows
    }
  }

  /// - Parameter name: line breaks in it become spaces.
  public init(_ name: String) { self.name = Self.onOneLine(name) }

  /// The file that holds a table.
  public func fileName(of table: String = "") -> String {
    table.isEmpty ? "\(name).dat" : "\(name)-\(table).dat"
  }

  /// A table as commands name it. The folder before the name keeps gnuplot from taking a first `<` for a command to run.
  public func reference(to table: String = "") -> String { Self.quoted("./" + fileName(of: table)) }

  /// A text as gnuplot reads it back, whatever is in it: in single quotes, between which nothing else is special. gnuplot 5 misreads
  /// doubled single quotes that begin a text or follow one another, so a text that holds one stands in double quotes, with everything
  /// that is special there as an octal number. Line breaks, which would end the command, become spaces.
  public static func quoted(_ text: String) -> String {
    let line = onOneLine(text)
    guard line.contains("'") else { return "'\(line)'" }
    let special: Set<Unicode.Scalar> = ["\"", "\\", "`", "@"]
    var escaped = ""
    for scalar in line.unicodeScalars {
      let isPlain = !special.contains(scalar) && scalar.value >= 32
      escaped += isPlain ? String(scalar) : String(format: "\\%03o", scalar.value)
    }
    return "\"\(escaped)\""
  }

  private static func onOneLine(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// What became of a picture.
  public enum Outcome: Equatable, Sendable {
    case drawn
    /// gnuplot is not installed; data and commands were written.
    case gnuplotMissing
    /// gnuplot did not accept the commands; its last words.
    case failed(String)
  }

  /// Writes data, commands and, by gnuplot, `NAME.svg` and `NAME.png` into `folder`, which exists; every file whole or not at all.
  /// - Throws: `CheckpointError.unwritable`. Cost: two runs of gnuplot, some 0.1 s each.
  public func draw(into folder: String) throws -> Outcome { try draw(into: folder, with: Gnuplot.find()) }

  /// What ``draw(into:)`` writes for a picture of this name with one table that has none.
  public static func files(named name: String, in folder: String) -> [String] {
    (terminals.map { $0.0 } + ["gp", "dat"]).map { "\(folder)/\(name).\($0)" }
  }

  func draw(into folder: String, with gnuplot: Gnuplot?) throws -> Outcome {
    for table in tables { try write(table, into: folder) }
    try write(script, to: "\(folder)/\(name).gp")
    guard let gnuplot else { return .gnuplotMissing }
    for (ending, terminal) in Self.terminals {
      let run = gnuplot.run(([terminal] + commands).joined(separator: "\n"), in: folder)
      guard run.succeeded, !run.output.isEmpty else { return .failed(run.complaint) }
      try AtomicFile.writeText(to: "\(folder)/\(name).\(ending)") { $0.append([UInt8](run.output)) }
    }
    return .drawn
  }

  /// The file a person can run again.
  private var script: String {
    let outputs = Self.terminals.map { "\($1)\nset output \(Self.quoted("./\(name).\($0)"))\n" }
    return "# gnuplot \(name).gp, in this folder, draws \(name).svg and \(name).png again.\n"
      + outputs[0] + commands.joined(separator: "\n") + "\n" + outputs[1] + "replot\n"
  }

  private static let terminals = [("svg", "svg", 15), ("png", "pngcairo", 12)].map { ending, terminal, size in
    (
      ending,
      "set terminal \(terminal) size 900,600 font 'DejaVu Sans,\(size)' background '#ffffff' noenhanced"
    )
  }

  private func write(_ table: Table, into folder: String) throws {
    var text = "# " + table.columns.joined(separator: " ") + "\n"
    for row in table.rows { text += row.map { $0.isFinite ? "\($0)" : "NaN" }.joined(separator: " ") + "\n" }
    try write(text, to: "\(folder)/\(fileName(of: table.name))")
  }

  private func write(_ text: String, to path: String) throws {
    try AtomicFile.writeText(to: path) { $0.append(text.anyBytes) }
  }
}

/// The gnuplot that is installed.
struct Gnuplot {
  let path: String

  /// The first `gnuplot` of `$PATH`; nil when there is none.
  static func find() -> Gnuplot? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(
      separator: ":")
    return folders.map { "\($0)/gnuplot" }.first { FileManager.default.isExecutableFile(atPath: $0) }.map(
      Gnuplot.init)
  }

  /// Runs commands in a folder; the picture comes out of standard output.
  func run(_ commands: String, in folder: String) -> (succeeded: Bool, output: Data, complaint: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    guard (try? process.run()) != nil else { return (false, Data(), "'\(path)' cannot be run") }
    // A program that ends early does not read on; it has said why.
    try? input.fileHandleForWriting.write(
      contentsOf: Data("cd \(Self.octal(folder))\n".utf8 + commands.anyBytes + [10]))
    try? input.fileHandleForWriting.close()
    // gnuplot says little before it fails, so one pipe after the other cannot block it.
    let picture = (try? output.fileHandleForReading.readToEnd()) ?? Data()
    let words = String(
      decoding: (try? errors.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let last = words.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }
    return (process.terminationStatus == 0, picture, String(last ?? "no reason given"))
  }

  /// A path as gnuplot reads it back, whatever its bytes.
  private static func octal(_ path: String) -> String {
    "\"" + path.anyBytes.map { String(format: "\\%03o", $0) }.joined() + "\""
  }
}
