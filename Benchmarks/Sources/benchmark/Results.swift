import Foundation
import HatchlingNumerics

/// Everything that was measured, as numbers for programs and as tables for people.
struct Results: Codable {
  private(set) var occasion = Occasion.now
  private(set) var bandwidths: [Bandwidth] = []
  private(set) var outcomes: [Outcome] = []
  private(set) var notes: [String] = []

  mutating func note(_ text: String) {
    notes.append(text)
    say("  \(text)")
  }

  mutating func add(_ bandwidth: Bandwidth) {
    bandwidths.append(bandwidth)
    say(Tables.bandwidthLine(bandwidth))
  }

  mutating func add(_ new: [Outcome]) {
    outcomes.append(contentsOf: new)
    say(Tables.text(new))
  }

  /// Saves everything so far, and puts the tables into the report if there is one.
  func keep(_ settings: Settings) throws {
    try save(to: settings.data)
    if let report = settings.report { try write(into: report) }
  }

  /// `results.json` and `results.csv` in `folder`.
  private func save(to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/results.json"), options: .atomic)
    var lines = ["task,size,contestant,threads,unit,median_s,fastest_s,slowest_s,runs,ratio,fraction_exact"]
    for o in outcomes {
      lines.append(
        "\(o.task),\(o.size),\"\(o.contestant)\",\(o.threads),\(o.unit),\(o.median),\(o.fastest),\(o.slowest),"
          + "\(o.runs),\(o.ratio.map { "\($0)" } ?? ""),\(o.fractions["exact"].map { "\($0)" } ?? "")")
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: URL(fileURLWithPath: "\(folder)/results.csv"), options: .atomic)
  }

  /// Replaces what stands between `<!-- TASK -->` and `<!-- /TASK -->` in a Markdown file by this run's table, for every task that
  /// ran.
  private func write(into path: String) throws {
    var text = try String(contentsOfFile: path, encoding: .utf8)
    var tables = ["machine": occasion.markdown + "\n"]
    if !bandwidths.isEmpty { tables["bandwidth"] = Tables.markdown(bandwidths) }
    for task in Set(outcomes.map(\.task)) {
      tables[task] = Tables.markdown(outcomes.filter { $0.task == task })
    }
    for (task, table) in tables {
      let (begin, end) = ("<!-- \(task) -->\n", "<!-- /\(task) -->")
      guard let from = text.range(of: begin),
        let to = text.range(of: end, range: from.upperBound..<text.endIndex)
      else { continue }
      text.replaceSubrange(from.upperBound..<to.lowerBound, with: "\n" + table + "\n")
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

/// What the numbers were measured on, and when.
struct Occasion: Codable {
  let machine: Machine
  let date: String
  /// Processors that other programs kept busy in the seconds before the run. Not the system's load average: that remembers the build
  /// of the benchmark itself.
  let load: Double

  static var now: Occasion {
    let format = DateFormatter()
    format.dateFormat = "yyyy-MM-dd"
    return Occasion(machine: .current, date: format.string(from: Date()), load: busyProcessors(for: 3))
  }

  /// From /proc/stat; NaN where there is none.
  private static func busyProcessors(for seconds: UInt32) -> Double {
    /// Ticks of all processors since the machine started: busy ones, and all.
    func ticks() -> (busy: Double, all: Double)? {
      guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
      let fields = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst()
      let numbers = fields.prefix(8).compactMap { Double($0) }
      guard numbers.count >= 5 else { return nil }
      let all = numbers.reduce(0, +)
      return (all - numbers[3] - numbers[4], all)
    }
    guard let before = ticks() else { return .nan }
    sleep(seconds)
    guard let after = ticks() else { return .nan }
    let processors = Double(ProcessInfo.processInfo.activeProcessorCount)
    return processors * (after.busy - before.busy) / max(1, after.all - before.all)
  }

  var markdown: String {
    let busy =
      load < 0.2
      ? ""
      : " **The machine was busy with other work: times are too long, and with two threads far too long.**"
    return
      "\(machine.summary); \(machine.processors) cores; measured \(date), \(Tables.decimal(load, 2)) of them busy before the run.\(busy)"
  }
}

/// A line on standard output, at once.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
