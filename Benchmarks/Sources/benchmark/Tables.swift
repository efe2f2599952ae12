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
    let form = Form(outcomes.first)
    return outcomes.map { o in
      let head = "\(o.task) \(o.size)".padding(toLength: 24, withPad: " ", startingAt: 0)
      let name = o.contestant.padding(toLength: 48, withPad: " ", startingAt: 0)
      return
        "\(head) \(name) \(form.text(o.median)) \(form.title) (\(form.text(o.fastest))…\(form.text(o.slowest)))"
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
    let reference = outcomes.compactMap(\.reference).first
    let form = Form(outcomes.first)
    var head = ["size", "", form.title, "fastest … slowest"]
    if let reference { head.append("× \(reference)") }
    head += bounds.map { "% of bound, \($0)" }
    var lines = [row(head), "|" + String(repeating: "---|", count: head.count)]
    for o in outcomes {
      let ends = [o.fastest, o.slowest].map(form.text).joined(separator: " … ")
      var cells = [o.size, o.contestant, form.text(o.median), ends]
      if reference != nil { cells.append(o.ratio.map { decimal($0, 2) } ?? "") }
      cells += bounds.map { bound in o.fractions[bound].map { decimal($0 * 100, 0) } ?? "" }
      lines.append(row(cells))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

  /// How a time per unit is written: as milliseconds, or as a rate where people think in rates.
  private enum Form {
    case milliseconds(unit: String)
    case tokensPerSecond
    case millionEventsPerSecond

    init(_ outcome: Outcome?) {
      switch (outcome?.task, outcome?.unit) {
      case ("training", _), ("streams", _): self = .tokensPerSecond
      case (_, "event"): self = .millionEventsPerSecond
      default: self = .milliseconds(unit: outcome?.unit ?? "")
      }
    }

    var title: String {
      switch self {
      case .milliseconds(let unit): "ms per \(unit)"
      case .tokensPerSecond: "tokens per second"
      case .millionEventsPerSecond: "million events per second"
      }
    }

    func text(_ seconds: Double) -> String {
      switch self {
      case .milliseconds: Tables.milliseconds(seconds)
      case .tokensPerSecond: Tables.decimal(1 / seconds, 0)
      case .millionEventsPerSecond: Tables.decimal(1e-6 / seconds, 0)
      }
    }
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
