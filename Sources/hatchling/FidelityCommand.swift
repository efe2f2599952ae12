import ArgumentParser
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics

struct FidelityCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "fidelity", abstract: "What pruning the direct graph costs, at each number of edges.",
    discussion: """
      Reads FILE in segments of the training block, each from an empty state, and compares pruned graphs with the unpruned network: \
      loss with a 95 % bootstrap interval over segments, top-1 agreement, KL divergence, messages. Exit status 1 when the unpruned \
      graph does not reproduce the loss of the tensors to 1e-6. FILE should be text that the model was not trained on; --held-out \
      takes the end of a file.
      """)

  @OptionGroup var model: ModelOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String?

  @Option(help: ArgumentHelp("Numbers of edges, as 1e4,3e4,1e5.", valueName: "a,b,c"))
  var edges: String

  @OptionGroup(title: "Pruned direct graphs") var repairs: RepairOptions

  @Option(
    help: ArgumentHelp(
      "Further curves: plain, or per-neuron, rescale, prune-tokens, excitatory-only, complete, hubs=R joined by +. May be given several times.",
      valueName: "what"))
  var series: [String] = []

  @Option(help: "Tokens per segment: the block the model was trained with.")
  var segment = 128

  @Option(help: "Read about this many tokens, in segments spread evenly over the text.")
  var tokens = 10_240

  @Option(help: "Read only this last fraction of the text.")
  var heldOut: Double?

  @Option(help: "Seed of the bootstrap.")
  var seed: UInt64 = 1

  @Option(help: "Arithmetic and state of the run: float or double.")
  var precision: PrecisionChoice = .float

  @OptionGroup var threads: ThreadOptions

  @Option(help: ArgumentHelp("Write fidelity.csv and a picture into this folder.", valueName: "dir"))
  var out: String?

  @Flag(help: "A JSON object per row instead of the table, and one for the unpruned network.")
  var json = false

  func validate() throws {
    try require(segment >= 1, "--segment \(segment): at least one token is needed")
    try require(tokens >= 1, "--tokens \(tokens): at least one token is needed")
    let part = heldOut ?? 1
    try require(part > 0 && part <= 1, "--held-out \(part): a fraction above 0 and at most 1 is needed")
    _ = try edgeCounts()
    _ = try allSeries()
  }

  private func edgeCounts() throws -> [Int] {
    try EdgeCount.list(edges) { "--edges '\(edges)': '\($0)' is not a number of edges; write 1e4,3e4,1e5" }
  }

  private func allSeries() throws -> [FidelitySeries] {
    let named = try series.map { name in
      do { return try FidelitySeries(named: name) } catch {
        throw ValidationError("--series '\(name)': \(error)")
      }
    }
    return [FidelitySeries(repairs.options(keeping: 0))] + named
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    try OutputPaths.check([], folders: [out])
    let workers = threads.workers
    let loaded = try model.load(workers: workers)
    let hubs = loaded.hyperparameters.synapticDimension
    for series in try allSeries() { try series.options(keeping: 0).check(hubCount: hubs) }
    try loaded.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    let streams = try TextSource.streams(
      text: nil, files: file.map { [$0] } ?? [], vocabulary: loaded.hyperparameters.vocabulary)
    let text = heldOut.map { Array(streams[0].tokens.suffix(Int(Double(streams[0].tokens.count) * $0))) }
    let weights = loaded.weights.converted(to: Scalar.self)
    var study = try FidelityStudy(
      weights, tokens: text ?? streams[0].tokens, segment: segment, limit: tokens, seed: seed,
      workers: workers, progress: shownProgress(), onRow: show)
    if study.scored < 10_000 {
      note("only \(study.scored) tokens are read; intervals are wide below some 10 000")
    }
    try study.measureUnpruned {
      note("the unpruned direct graph would not fit into half of memory; its row is run as a circuit")
    }
    for series in try allSeries() {
      for count in try edgeCounts() { try study.measure(series, edges: count) }
    }
    if let out { note(try study.report.write(into: out, modelName: loaded.path)) }
    if !json { Output.lines(study.report.closing) }
    guard study.report.reproducesTensors else { throw CheckFailed() }
  }

  private func show(_ row: FidelityRow, of report: FidelityReport) throws {
    if !json && report.rows.count == 1 { Output.lines(report.opening) }
    if json { try Output.json(row) } else { Output.line(row.line) }
    Output.flush()
  }
}
