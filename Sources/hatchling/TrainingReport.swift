import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// What a training run says while it goes on: a progress line on a terminal, a table row and a sample at every validation.
struct TrainingReport {
  /// Wall-clock seconds per update, smoothed.
  private var secondsPerStep: Double?
  private var validationLoss: Double?
  private let isTerminal = isatty(2) != 0
  private var lastLine = ContinuousClock.now - .seconds(1)

  static let header =
    "    step     loss  validation      rate   gradient   active x  active y   tokens/s      time"

  /// Called after every update.
  mutating func update(_ record: TrainingLine, of steps: Int, seconds: Double) {
    secondsPerStep = secondsPerStep.map { $0 + 0.05 * (seconds - $0) } ?? seconds
    guard isTerminal, ContinuousClock.now - lastLine > .milliseconds(200) else { return }
    lastLine = .now
    let left = Double(steps - record.step) * (secondsPerStep ?? 0)
    let line =
      "step \(record.step) of \(steps)  loss \(decimal(record.loss, 3))"
      + "  validation \(validationLoss.map { decimal($0, 3) } ?? "–")"
      + "  \(decimal(record.tokensPerSecond, 0)) tokens/s  gradient \(decimal(record.gradientNorm, 2))"
      + "  x \(percent(record.activeX))  y \(percent(record.activeY))  \(Self.clock(left)) left"
    FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
  }

  /// The held-out loss that the line shows from now on.
  mutating func validated(_ loss: Double) { validationLoss = loss }

  /// Takes the progress line away, before anything else is written.
  func clear() {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }

  /// The row of the table on standard output. `loss` is the mean since the last row.
  static func row(_ record: TrainingLine, meanLoss: Double, isBest: Bool) -> String {
    padded(String(record.step), 8) + padded(decimal(meanLoss), 9)
      + padded(record.validationLoss.map { decimal($0) } ?? "–", 11) + (isBest ? "*" : " ")
      + padded(String(format: "%.2e", record.learningRate), 10) + padded(decimal(record.gradientNorm, 3), 10)
      + padded(percent(record.activeX), 11) + padded(percent(record.activeY), 10)
      + padded(decimal(record.tokensPerSecond, 0), 11) + padded(clock(record.seconds), 10)
  }

  /// Hours, minutes and seconds.
  static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "–" }
    let whole = Int(seconds.rounded())
    return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }

  /// How the network goes on after `prompt`, as one printable line per line of text, bytes that are no UTF-8 replaced.
  /// Cost: a pass over `prompt` and `count` more tokens.
  static func sample(
    _ weights: Weights<Float>, after prompt: some Sequence<UInt8>, count: Int, seed: UInt64, workers: Workers
  ) throws -> [String] {
    let engine = TensorEngine(weights, workers: workers)
    for byte in prompt { try engine.step(Int(byte)) }
    var sampler = Sampler(temperature: 0.8, seed: seed)
    var bytes: [UInt8] = []
    for _ in 0..<count {
      let token = sampler.draw(from: engine.logits)
      bytes.append(token < 256 ? UInt8(token) : UInt8(ascii: "?"))
      try engine.step(token)
    }
    let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
      scalar == "\n" || !scalar.properties.generalCategory.isControl ? String(scalar) : "\u{FFFD}"
    }.joined()
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { "  | " + $0 }
  }
}

/// A fraction as per cent.
func percent(_ fraction: Double) -> String { decimal(fraction * 100, 1) + " %" }

extension Unicode.GeneralCategory {
  fileprivate var isControl: Bool { self == .control || self == .format || self == .unassigned }
}
