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

  @Option(
    help: ArgumentHelp(
      "Save the state after every N tokens, too. Started again with it as --state-in, step goes on where it was.",
      valueName: "n"))
  var stateEvery: Int?

  @Option(help: "With --spiking stochastic:K: the same seed gives the same spikes. Default: 1.")
  var seed: UInt64?

  func validate() throws {
    try require(onlyAfter != "", "--only-after '': a tag is needed, as in '<T:'")
    guard let stateEvery else { return }
    try require(stateEvery >= 1, "--state-every \(stateEvery): at least one token is needed")
    try require(options.stateOut != nil, "--state-every \(stateEvery): say where with --state-out")
  }

  var precision: PrecisionChoice { options.precision }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let ranks = try options.ranks()
    try options.checkOutputs(reading: files)
    let workers = options.workers
    let network = try options.model.load(ranks: ranks, workers: workers)
    var streams = try TextSource.streams(
      text: text, files: files, vocabulary: network.hyperparameters.vocabulary, ranks: ranks)
    var masks = try scoredTokens(of: streams)
    try require(
      stateEvery == nil || streams.count == 1,
      "--state-every: a state on the way belongs to one text; give one FILE")
    try require(
      !options.interventions.isUsed || streams.count == 1,
      "--cut, --silence and --set are measured on one text; give one FILE")
    let interventions = try options.interventions.parsed(options.names(of: network))
    let stepper = try announced("making the graph of '\(network.path)' and its state") {
      try StreamReader<Scalar>(
        options.engineDescription(
          of: network, reading: streams.flatMap(\.tokens), seed: seed, workers: workers),
        network, files: files(options.files), interventions: interventions, ranks: ranks, workers: workers)
    }
    if let rest = rest(of: streams, stepper) {
      streams[0] = TokenStream(name: streams[0].name, tokens: rest)
      masks = masks.map { [Array($0[0].suffix(rest.count))] }
    }
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

  private func files(_ files: StreamFiles) -> StreamFiles {
    var files = files
    files.stateEvery = stateEvery
    return files
  }

  /// What is left of the text where the state was saved on the way through it; nil where all is.
  private func rest<Scalar>(of streams: [TokenStream], _ stepper: StreamReader<Scalar>) -> [Int]? {
    guard streams.count == 1 else { return nil }
    let rest = stepper.rest(of: streams[0].tokens)
    let read = streams[0].tokens.count - rest.count
    guard read > 0 else { return nil }
    note(
      "\(streams[0].name) has been read up to token \(grouped(read)) by the run that saved the state; going on there"
    )
    return Array(rest)
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
