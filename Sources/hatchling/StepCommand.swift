import ArgumentParser
import Foundation
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics

struct StepCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Feeds the bytes of a text one token at a time and says what the network did.",
    discussion:
      "Several FILEs are several streams; the state is reset between them. A .npy FILE is an array of token numbers."
  )

  @OptionGroup var options: SteppingOptions

  @Option(help: "The text itself.")
  var text: String?

  @Argument(help: "Files to read, or - for standard input.")
  var files: [String] = []

  @Flag(help: "Only the summary.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Score only what follows this tag, up to the next <F: or <T:. '<T:' is the translated side of a translation stream, '<T:fr>' its French part.",
      valueName: "tag"))
  var onlyAfter: String?

  func validate() throws {
    if let onlyAfter, onlyAfter.isEmpty {
      throw ValidationError("--only-after '': a tag is needed, as in '<T:'")
    }
  }

  var precision: PrecisionChoice { options.precision }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let workers = options.workers
    let model = try options.model.load(workers: workers)
    let streams = try TextSource.streams(
      text: text, files: files, vocabulary: model.hyperparameters.vocabulary)
    let masks = try scoredTokens(of: streams)
    let stepper = try StreamReader<Scalar>(
      options.engineDescription, model, files: options.files, workers: workers)
    var summary = StepSummary(model.hyperparameters, onlyAfter: onlyAfter)
    var progress = Progress("token", total: streams.reduce(0) { $0 + $1.tokens.count })
    if !options.json && !quiet { Output.line(StepLine.header) }
    for (index, stream) in streams.enumerated() {
      if index > 0 { try stepper.rewind() }
      for (offset, token) in stream.tokens.enumerated() {
        let hasPrediction = stepper.engine.position > 0
        let loss = hasPrediction ? Predictions(logits: stepper.engine.logits).loss(of: token) : nil
        let position = stepper.engine.position
        let start = ContinuousClock.now
        let activity = try stepper.step(token)
        let isScored = masks?[index][offset]
        summary.add(
          activity, loss: isScored == false ? nil : loss, duration: ContinuousClock.now - start)
        if quiet {
          progress.update(summary.tokens)
        } else {
          let line = StepLine(
            stream: streams.count > 1 ? index : nil, position: position, token: token, loss: loss,
            isScored: isScored, predictions: Predictions(logits: stepper.engine.logits), activity: activity)
          if options.json { try Output.json(line) } else { Output.line(line.text) }
        }
      }
    }
    try stepper.finish()
    if options.json {
      try Output.json(["summary": summary])
    } else {
      Output.lines(summary.lines)
    }
  }
}

extension StepCommand {
  /// With `--only-after`, which tokens count; a text without any is a mistake, not a loss of nothing.
  private func scoredTokens(of streams: [TokenStream]) throws -> [[Bool]]? {
    guard let onlyAfter else { return nil }
    let masks = streams.map { ScoredRegions(after: onlyAfter).mask($0.tokens) }
    guard masks.contains(where: { $0.contains(true) }) else {
      throw OptionError.bad(
        "--only-after '\(onlyAfter)': nothing follows such a tag in \(streams.map(\.name).joined(separator: ", "))"
      )
    }
    return masks
  }
}
