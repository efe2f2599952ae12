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

  @Option(help: "With --spiking stochastic:K: the same seed gives the same spikes. Default: 1.")
  var seed: UInt64?

  func validate() throws {
    try require(onlyAfter != "", "--only-after '': a tag is needed, as in '<T:'")
  }

  var precision: PrecisionChoice { options.precision }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let ranks = try options.ranks()
    try options.checkOutputs(reading: files)
    let workers = options.workers
    let network = try options.model.load(ranks: ranks, workers: workers)
    let streams = try TextSource.streams(
      text: text, files: files, vocabulary: network.hyperparameters.vocabulary, ranks: ranks)
    let masks = try scoredTokens(of: streams)
    try require(
      !options.interventions.isUsed || streams.count == 1,
      "--cut, --silence and --set are measured on one text; give one FILE")
    let interventions = try options.interventions.parsed(options.names(of: network))
    let stepper = try StreamReader<Scalar>(
      options.engineDescription(
        of: network, reading: streams.flatMap(\.tokens), seed: seed, workers: workers),
      network, files: options.files, interventions: interventions, ranks: ranks, workers: workers)
    var progress = Progress("token", total: streams.reduce(0) { $0 + $1.tokens.count })
    // On a terminal the table itself shows how far it is.
    let isWatched = !quiet && Job.showsOutput
    if !options.json && !quiet { Output.line(StepLine.header) }
    let summary = try stepper.report(
      on: streams, counting: masks, onlyAfter: onlyAfter,
      afterToken: { if !isWatched { progress.update($0) } },
      show: quiet ? nil : { try show($0) })
    try stepper.finish()
    if options.json { try Output.json(["summary": summary]) } else { Output.lines(summary.lines) }
    try options.reportInterventions(interventions, on: streams[0].tokens, network, workers: workers)
  }

  private func show(_ line: StepLine) throws {
    if options.json { try Output.json(line) } else { Output.line(line.text) }
  }

  /// With `--only-after`, which tokens count; a text without any is a mistake, not a loss of nothing.
  private func scoredTokens(of streams: [TokenStream]) throws -> [[Bool]]? {
    guard let onlyAfter else { return nil }
    let masks = streams.map { ScoredRegions(after: onlyAfter).mask($0.tokens) }
    try require(
      masks.contains { $0.contains(true) },
      "--only-after '\(onlyAfter)': nothing follows such a tag in \(streams.map(\.name).joined(separator: ", "))"
    )
    return masks
  }
}
