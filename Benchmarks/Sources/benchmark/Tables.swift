import Foundation

/// Results as text.
enum Tables {
  static func bandwidthLine(_ bandwidth: Bandwidth) -> String {
    let patterns = bandwidth.patterns.sorted { $0.key < $1.key }
      .map { "\($0.key) \(gigabytes($0.value))" }.joined(separator: ", ")
    return "bandwidth, \(bandwidth.threads) thread(s): read \(gigabytes(bandwidth.read)), write "
      + "\(gigabytes(bandwidth.write)) GB/s (\(patterns))"
  }

  /// Plain lines for the terminal.
  static func text(_ outcomes: [Outcome]) -> String {
    outcomes.map { o in
      let head = "\(o.task) \(o.size)".padding(toLength: 16, withPad: " ", startingAt: 0)
      let name = o.contestant.padding(toLength: 48, withPad: " ", startingAt: 0)
      return
        "\(head) \(name) \(milliseconds(o.median)) ms/\(o.unit) (\(milliseconds(o.fastest))…\(milliseconds(o.slowest)))"
        + (o.ratio.map { "  \(decimal($0, 2)) ×" } ?? "") + fractions(o)
    }.joined(separator: "\n")
  }

  private static func fractions(_ outcome: Outcome) -> String {
    outcome.fractions.sorted { $0.key < $1.key }.map { "  \(decimal($0.value * 100, 0)) % of \($0.key)" }
      .joined()
  }

  static func markdown(_ bandwidths: [Bandwidth]) -> String {
    var lines = [
      "| threads | read GB/s | write GB/s | read and written in place GB/s |", "|---|---|---|---|",
    ]
    for b in bandwidths {
      lines.append("| \(b.threads) | \(gigabytes(b.read)) | \(gigabytes(b.write)) | \(gigabytes(b.update)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func markdown(_ outcomes: [Outcome]) -> String {
    let bounds = Set(outcomes.flatMap { $0.fractions.keys }).sorted()
    let hasRatio = outcomes.contains { $0.ratio != nil }
    let reference = outcomes.compactMap(\.reference).first ?? ""
    var head = "| size | | ms per \(outcomes.first?.unit ?? "") | fastest … slowest |"
    var rule = "|---|---|---|---|"
    if hasRatio {
      head += " × \(reference) |"
      rule += "---|"
    }
    for bound in bounds {
      head += " % of bound, \(bound) |"
      rule += "---|"
    }
    var lines = [head, rule]
    for o in outcomes {
      var line =
        "| \(o.size) | \(o.contestant) | \(milliseconds(o.median)) | \(milliseconds(o.fastest)) … \(milliseconds(o.slowest)) |"
      if hasRatio { line += " \(o.ratio.map { decimal($0, 2) } ?? "") |" }
      for bound in bounds { line += " \(o.fractions[bound].map { decimal($0 * 100, 0) } ?? "") |" }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func gigabytes(_ rate: Double) -> String { decimal(rate / 1e9, 1) }

  /// Four significant digits.
  static func milliseconds(_ seconds: Double) -> String {
    let value = seconds * 1e3
    guard value > 0, value.isFinite else { return "–" }
    return decimal(value, max(0, 3 - Int(log10(value).rounded(.down))))
  }

  static func decimal(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
}
