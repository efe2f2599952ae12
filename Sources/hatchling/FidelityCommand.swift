import ArgumentParser
import HatchlingCommands
import HatchlingCompiler
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

struct FidelityCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "fidelity",
    abstract:
      "What pruning the direct graph costs at each number of edges, or what spikes cost in each code.",
    discussion: """
      Reads FILE in segments of the training block, each from an empty state, and compares pruned graphs with the unpruned network: \
      loss with a 95 % bootstrap interval over segments, top-1 agreement, KL divergence, messages. Exit status 1 when the unpruned \
      graph does not reproduce the loss of the tensors to 1e-6. With --spiking the circuit runs on spikes instead, or the direct form, \
      pruned or whole, in every code that is named: loss and KL divergence with intervals, spikes, synaptic events. --dale makes neurons \
      excite or inhibit and never do both. FILE should be text that the model was not trained on; --held-out \
      takes the end of a file.
      """)

  @OptionGroup var model: ModelOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String?

  @Option(help: ArgumentHelp("Numbers of edges, as 1e4,3e4,1e5.", valueName: "a,b,c"))
  var edges: String?

  @Option(
    help: ArgumentHelp(
      "A code of spikes, as of step: few:3:10, rate:32, few:3:10,v=few:4:12. May be given several times.",
      valueName: "code"))
  var spiking: [String] = []

  @OptionGroup(title: "Spikes") var spikes: SpikeDetailFlags

  @Option(
    help: "Which graph form runs on spikes: circuit or direct, whole or of --edges M. Default: circuit.")
  var form: GraphForm?

  @Option(
    help:
      "Dale's law: cut (a neuron keeps the synapses of the sign that outweighs the other), lot (as many are cut, but drawn by lot), or shift (a circuit's synapses to hubs are raised until none inhibits)."
  )
  var dale: DaleLaw?

  @OptionGroup(title: "Pruned direct graphs") var repairs: RepairOptions

  @Option(
    help: ArgumentHelp(
      "Further curves: plain, or per-neuron, rescale, prune-tokens, excitatory-only, complete, hubs=R, dale=cut, dale=lot joined by +. May be given several times.",
      valueName: "what"))
  var series: [String] = []

  @Option(help: "Tokens per segment: the block the model was trained with.")
  var segment = 128

  @Option(help: "Read about this many tokens, in segments spread evenly over the text.")
  var tokens = 10_240

  @Option(help: "Read only this last fraction of the text.")
  var heldOut: Double?

  @Option(help: "Seed of the bootstrap, and of spikes that are drawn.")
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
    try require(
      edges != nil || !spiking.isEmpty, "--edges or --spiking: say what is to be compared")
    try require(
      edges == nil || spiking.isEmpty || form == .direct,
      "--edges and --spiking: one study at a time, unless --form direct sends spikes")
    try require(form == nil || !spiking.isEmpty, "--form goes with --spiking")
    try require(
      spiking.isEmpty || !repairs.isUsed || edges != nil,
      "with --spiking what goes with pruned graphs goes with --form direct --edges M")
    try require(dale != .shift || form != .direct && edges == nil, "--dale shift: for the circuit alone")
    try spikes.check(goesWith: !spiking.isEmpty)
    try require(series.isEmpty || spiking.isEmpty, "--series goes with --edges")
    for code in spiking { _ = try spikes.request(code, seed: seed) }
    let counts = try edgeCounts()
    try require(
      spiking.isEmpty || counts.count <= 1, "--edges '\(edges ?? "")': one graph at a time runs on spikes")
    _ = try allSeries()
  }

  private func edgeCounts() throws -> [Int] {
    guard let edges else { return [] }
    return try EdgeCount.list(edges) {
      "--edges '\(edges)': '\($0)' is not a number of edges; write 1e4,3e4,1e5"
    }
  }

  private func allSeries() throws -> [FidelitySeries] {
    let named = try series.map { name in
      do { return try FidelitySeries(named: name) } catch {
        throw ValidationError("--series '\(name)': \(error)")
      }
    }
    return [FidelitySeries(repairs.options(keeping: 0), dale: dale)] + named
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    // Every rank has the whole network; segments are shared out.
    let ranks = Job.ranks
    try ranks.together { if Job.speaks { try OutputPaths.check([], folders: [out]) } }
    let workers = threads.workers
    let loaded = try ranks.together { try model.load(workers: workers).model() }
    let hubs = loaded.hyperparameters.synapticDimension
    for series in try allSeries() { try series.options(keeping: 0).check(hubCount: hubs) }
    try loaded.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    let streams = try TextSource.streams(
      text: nil, files: file.map { [$0] } ?? [], vocabulary: loaded.hyperparameters.vocabulary,
      ranks: ranks)
    let text = heldOut.map { Array(streams[0].tokens.suffix(Int(Double(streams[0].tokens.count) * $0))) }
    if !spiking.isEmpty {
      let before = text.map { Array(streams[0].tokens.dropLast($0.count).suffix(SpikingRequest.most)) } ?? []
      return try studySpikes(
        on: text ?? streams[0].tokens, calibratedBy: before.count < SpikingRequest.enough ? nil : before,
        loaded, Scalar.self, ranks, workers)
    }
    let weights = loaded.weights.converted(to: Scalar.self)
    var study = try FidelityStudy(
      weights, tokens: text ?? streams[0].tokens, segment: segment, limit: tokens, seed: seed,
      ranks: ranks, workers: workers, progress: shownProgress(), onRow: show)
    if study.scored < 10_000 {
      note("only \(study.scored) tokens are read; intervals are wide below some 10 000")
    }
    try study.measureUnpruned {
      note("the unpruned direct graph would not fit into half of memory; its row is run as a circuit")
    }
    for series in try allSeries() {
      for count in try edgeCounts() { try study.measure(series, edges: count) }
    }
    if let out, Job.speaks { note(try study.report.write(into: out, modelName: loaded.path)) }
    if !json { Output.lines(study.report.closing) }
    guard study.report.reproducesTensors else { throw CheckFailed() }
  }

  /// What runs on spikes, on numbers.
  private func description() throws -> EngineDescription {
    let options = try edgeCounts().first.map { repairs.options(keeping: $0) } ?? DirectOptions()
    return EngineDescription(form == .direct ? .direct(options) : .circuit, dale: dale)
  }

  /// Codes of spikes, with scales from a file, the text in front of the one that is scored, or its beginning.
  private func studySpikes<Scalar: NetworkScalar>(
    on tokens: [Int], calibratedBy before: [Int]?, _ model: Model, _: Scalar.Type, _ ranks: Ranks?,
    _ workers: Workers
  ) throws {
    let weights = model.weights.converted(to: Scalar.self)
    let description = try description()
    var study = try SpikingStudy(
      weights, on: description, tokens: tokens, segment: segment, limit: self.tokens, seed: seed,
      ranks: ranks,
      workers: workers, progress: shownProgress(), onRow: show)
    try study.measure()
    var scales: SpikeScales?
    for code in spiking {
      let request = try spikes.request(code, seed: seed)
      if let scales {
        try study.measure(SpikingSetup(request.options, scales), named: code)
        continue
      }
      let (setup, source) = try request.resolved(
        description, .weights(model), reading: before ?? tokens, workers: workers)
      note(before == nil || spikes.scales != nil ? source : "\(source), in front of the held-out part")
      scales = setup.scales
      try study.measure(setup, named: code)
    }
    if let out, Job.speaks { note(try study.report.write(into: out)) }
  }

  private func show(_ row: SpikingRow, of report: SpikingStudyReport) throws {
    if !json && report.rows.count == 1 { Output.lines(report.opening) }
    if json { try Output.json(row) } else { Output.line(row.line) }
    Output.flush()
  }

  private func show(_ row: FidelityRow, of report: FidelityReport) throws {
    if !json && report.rows.count == 1 { Output.lines(report.opening) }
    if json { try Output.json(row) } else { Output.line(row.line) }
    Output.flush()
  }
}

extension DaleLaw: ExpressibleByArgument {}
