import Foundation
import HatchlingCommands
import HatchlingTraining

/// What a training run says while it goes on: a progress line on a terminal, a table row and a sample at every validation.
struct TrainingDisplay {
  /// Wall-clock seconds per update, smoothed.
  private var secondsPerStep: Double?
  private var validationLoss: Double?
  private let isTerminal = isatty(2) != 0 && Job.speaks
  /// Whether the user said how long the run goes on; then nothing is to be forecast.
  private let isTimed: Bool
  /// How long it will take, where no line shows it.
  private var forecast: Progress?
  private var lastLine = ContinuousClock.now - .seconds(1)

  private static let header =
    "    step     loss  validation      rate   gradient   active x  active y   tokens/s      time"

  init(isTimed: Bool) { self.isTimed = isTimed }

  /// What the run is, and the head of the table.
  func open(_ session: TrainingSession) {
    let (sizes, options) = (session.sizes, session.options)
    let memory = session.memory
    Output.line(
      "network    n \(grouped(sizes.neurons)), \(sizes.synapticDimension > 0 ? "d \(sizes.synapticDimension)" : "no hubs"), H \(sizes.heads), L \(sizes.layers), \(sizes.variant.rawValue), \(grouped(session.trainedCount)) parameters"
    )
    if let graph = session.graph { Output.line("graph      \(graph)") }
    let part =
      !isTimed && session.isValidated && session.validatedBytes < session.heldOutBytes
      ? ", the first \(grouped(session.validatedBytes)) of them read at every validation" : ""
    Output.line(
      "text       \(grouped(session.learnedBytes)) bytes to learn, \(grouped(session.heldOutBytes)) held out\(part)"
    )
    Output.line("run        \(options.flags)")
    if let ranks = Job.ranks {
      Output.line("ranks      \(ranks.size), \(options.shareCount) shares of the batch")
      if options.shareCount < ranks.size {
        note(
          "warning: \(options.shareCount) shares keep no more than \(options.shareCount) of \(ranks.size) ranks busy; give a larger --batch or --shares"
        )
      }
    }
    Output.line(
      "memory     up to \(TrainingMemory.text(memory.total)): parameters and optimiser \(TrainingMemory.text(memory.parameters)), activity \(TrainingMemory.text(memory.activity)), plastic states \(TrainingMemory.text(memory.plasticState)), workspace \(TrainingMemory.text(memory.workspace))"
    )
    if session.heldOutBytes > 0 && !session.isValidated {
      note(
        "warning: \(session.heldOutBytes) held-out bytes are no whole block of \(options.block); nothing is validated and the last network is kept. A smaller --block, or --validation 0"
      )
    }
    if session.step > 0 { Output.line("goes on after step \(session.step)") }
    Output.line(Self.header)
    Output.flush()
  }

  mutating func show(_ event: TrainingEvent) {
    switch event {
    case .updated(let line, let seconds): update(line, seconds: seconds)
    case .stepsFixed(let steps):
      clear()
      Output.line("\(steps) steps fit into the time")
    case .validated(let line, let meanLoss, let isBest):
      validationLoss = line.validationLoss ?? validationLoss
      clear()
      Output.line(Self.row(line, meanLoss: meanLoss, isBest: isBest))
      Output.flush()
    case .sampled(let bytes):
      Output.lines(Self.sample(bytes))
      Output.flush()
    }
  }

  /// Called after every update.
  private mutating func update(_ record: TrainingLine, seconds: Double) {
    secondsPerStep = secondsPerStep.map { $0 + 0.05 * (seconds - $0) } ?? seconds
    if !isTerminal && !isTimed && Job.speaks {
      if forecast == nil { forecast = Progress("step", total: record.steps, after: record.step) }
      forecast?.update(record.step)
    }
    guard isTerminal, ContinuousClock.now - lastLine > .milliseconds(200) else { return }
    lastLine = .now
    let left = Double(record.steps - record.step) * (secondsPerStep ?? 0)
    let line =
      "step \(record.step) of \(record.steps)  loss \(decimal(record.loss, 3))"
      + "  validation \(validationLoss.map { decimal($0, 3) } ?? "–")"
      + "  \(decimal(record.tokensPerSecond, 0)) tokens/s  gradient \(decimal(record.gradientNorm, 2))"
      + "  x \(percent(record.activeX))  y \(percent(record.activeY))  \(Self.clock(left)) left"
    FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
  }

  /// Takes the progress line away, before anything else is written.
  func clear() {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }

  /// The row of the table on standard output. `loss` is the mean since the last row.
  private static func row(_ record: TrainingLine, meanLoss: Double, isBest: Bool) -> String {
    padded(String(record.step), 8) + padded(decimal(meanLoss), 9)
      + padded(record.validationLoss.map { decimal($0) } ?? "–", 11) + (isBest ? "*" : " ")
      + padded(String(format: "%.2e", record.learningRate), 10) + padded(decimal(record.gradientNorm, 3), 10)
      + padded(percent(record.activeX), 11) + padded(percent(record.activeY), 10)
      + padded(decimal(record.tokensPerSecond, 0), 11) + padded(clock(record.seconds), 10)
  }

  /// Hours, minutes and seconds.
  private static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "–" }
    let whole = Int(seconds.rounded())
    return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }

  /// One line per line of text, bytes that are no UTF-8 replaced.
  private static func sample(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 10, omittingEmptySubsequences: false).map {
      "  | " + String(decoding: $0, as: UTF8.self)
    }
  }
}
