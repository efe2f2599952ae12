import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

struct PlanCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract:
      "What a network will cost on several ranks: memory of each, bytes they exchange, time of a token. Nothing is run unless --calibrate asks for it.",
    discussion: """
      Sizes are the model's unless they are given; without --model, those that are not given are the shipped network's. Numbers may be \
      written 1e9. Times need --memory-bandwidth and, for several ranks, --latency and --bandwidth; or --calibrate, which measures what is not \
      given, started by mpirun on as many ranks as are asked about. docs/scale.md says what is assumed.
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    help: ArgumentHelp("Numbers of ranks, as in 1,2,4. Default: those of mpirun, or 1.", valueName: "list"))
  var ranks: String?

  @OptionGroup(title: "Sizes") var sizes: PlannedSizesOptions

  @Option(help: "Arithmetic and state of the run: float or double.")
  var precision: PrecisionChoice = .float

  @Flag(
    help:
      "Assume at least as many blocks as ranks. As built a network has about 64, and more ranks have nothing to do."
  )
  var finer = false

  @OptionGroup(title: "Constants") var constants: PlanConstantsOptions

  @Flag(
    help:
      "Measure the constants here; a model that is not resized reads tokens as well, and what it took is set against the plan."
  )
  var calibrate = false

  @Argument(help: "With --calibrate: the text that the model reads. Default: some lines of Shakespeare.")
  var file: String?

  @Option(help: "With --calibrate: how many tokens it reads, after 32 to warm up. Default: 100.")
  var tokens: Int?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "One JSON object for each number of ranks instead of the table.")
  var json = false

  func validate() throws {
    if let file { try require(calibrate, "FILE '\(file)': a text is only read with --calibrate") }
    if let tokens {
      try require(calibrate, "--tokens \(tokens): goes with --calibrate")
      try require((1...1_000_000).contains(tokens), "--tokens \(tokens): 1 to 1000000")
    }
  }

  private func rankCounts() throws -> [Int] {
    guard let ranks else { return [Job.ranks?.size ?? 1] }
    return try EdgeCount.list(ranks, in: 1...65_536) {
      "--ranks '\($0)': 1 to 65536 ranks, or several such numbers, as in 1,2,4"
    }
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let counts = try rankCounts()
    let program = ProcessMemory.anonymous ?? 0
    let workers = threads.workers
    var network = try sizes.network(of: model, bytesPerNumber: MemoryLayout<Scalar>.size, constants)
    // Sizes are looked at before anything is measured.
    for count in counts { try PlanError.check(network.sizes, ranks: count) }
    var (given, calibration) = (try constants.given(for: counts, calibrate), PlanCalibration?.none)
    var source = constants.saysActivity ? "given" : "assumed, as of a trained network"
    if calibrate {
      let measured = try measure(network, Scalar.self, workers)
      calibration = measured
      given = constants.completed(by: measured.constants)
      if !constants.saysActivity, let activity = measured.activity {
        (network.activity, source) = (activity, "measured")
      }
    }
    let cut: BlockCut = finer ? .finer : .built
    let reports = try counts.map { count in
      let isHere = count == Job.ranks?.size ?? 1
      let way = isHere ? Job.ranks?.way : nil
      return PlanReport(
        try ScalePlan(network, ranks: count, cut: cut, way: way), given, program: program,
        measurement: isHere && !finer ? calibration?.measurement : nil)
    }
    if json {
      for report in reports { try Output.json(report) }
      return
    }
    Output.lines(ScalePlan.lines(of: network, activityFrom: source))
    Output.lines(given?.lines("constants") ?? [])
    Output.lines(calibration?.alone?.lines("one rank alone") ?? [])
    if reports.count == 1 {
      Output.lines(reports[0].lines)
    } else {
      Output.line(PlanReport.header)
      for report in reports { Output.line(report.row) }
      Output.lines(reports.max { $0.ranks < $1.ranks }?.remarks ?? [])
    }
  }

  private func measure<Scalar: NetworkScalar>(
    _ network: PlannedNetwork, _: Scalar.Type, _ workers: Workers
  ) throws -> PlanCalibration {
    let ranks = Job.ranks
    let trial: PlanTrial<Scalar>? =
      sizes.areGiven
      ? nil
      : try PlanTrial(
        model.load(ranks: ranks, workers: workers),
        tokens: TextSource.streams(
          text: file == nil ? Self.text : nil, files: [file].compactMap { $0 },
          vocabulary: network.sizes.vocabulary, ranks: ranks)[0].tokens, ranks: ranks, workers: workers)
    return try PlanCalibration.measure(network, trial, tokens: tokens ?? 100, ranks: ranks, workers: workers)
  }

  private static let text = """
    First Citizen:
    Before we proceed any further, hear me speak.

    All:
    Speak, speak.

    First Citizen:
    You are all resolved rather to die than to famish?

    All:
    Resolved. resolved.

    """
}

/// A size that no file needs to have: `30000`, `30_000` or `1e9`.
struct PlannedSize: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let digits = argument.filter { $0 != "_" }
    if let count = Int(digits), count >= 0 {
      self.count = count
    } else if let value = Double(digits), value >= 0, value < 9e18, value == value.rounded() {
      count = Int(value)
    } else {
      return nil
    }
  }
}

/// Sizes of a network that is planned for. Layers are the checkpoint's option.
struct PlannedSizesOptions: ParsableArguments {
  @Option(help: "n, neurons of all heads.")
  var neurons: PlannedSize?

  @Option(help: "d, the synaptic dimension.")
  var d: PlannedSize?

  @Option(help: "H, heads.")
  var heads: PlannedSize?

  @Option(help: "V, tokens of the alphabet.")
  var vocabulary: PlannedSize?

  /// Whether the network is another one than the model's.
  var areGiven: Bool { neurons != nil || d != nil || heads != nil || vocabulary != nil }

  /// The network that is planned for. - Throws: as `Model.load`.
  func network(
    of options: ModelOptions, bytesPerNumber: Int, _ constants: PlanConstantsOptions
  ) throws -> PlannedNetwork {
    let checkpoint = options.checkpoint
    if options.model == nil, let neurons, let d, let heads, let vocabulary, let layers = checkpoint.layers {
      return PlannedNetwork(
        Hyperparameters(
          neurons: neurons.count, synapticDimension: d.count, heads: heads.count, layers: layers,
          vocabulary: vocabulary.count, variant: checkpoint.variant ?? .released),
        bytesPerNumber: bytesPerNumber, activity: constants.activity)
    }
    let path = try options.model.map { try ShippedNetwork.path(of: $0) } ?? ShippedNetwork.shipped.path()
    let file = Network.isSonata(path) ? nil : try CheckpointFile.open(path)
    // Of no neurons: sizes, and what is said of all.
    let model =
      try file.map {
        try Model.load(
          $0, layers: checkpoint.layers, variant: checkpoint.variant, prefix: checkpoint.prefix,
          only: { _ in 0..<0 })
      } ?? checkpoint.load(path)
    for warning in model.warnings where !areGiven { note("warning: \(warning)") }
    var sizes = model.hyperparameters
    if let neurons { sizes.neurons = neurons.count }
    if let d { sizes.synapticDimension = d.count }
    if let heads { sizes.heads = heads.count }
    if let vocabulary { sizes.vocabulary = vocabulary.count }
    var network = PlannedNetwork(sizes, bytesPerNumber: bytesPerNumber, activity: constants.activity)
    guard options.model != nil || !areGiven else { return network }
    network.isDamped = model.weights.damping != nil
    network.isComplete = model.weights.plasticSynapses == nil
    network.usesMappedFile = file?.tensors[model.prefix + "decoder"]?.packedFloats != nil
    return network
  }
}

/// What a machine can do, where the user knows.
struct PlanConstantsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Microseconds until a message between two ranks begins to arrive.", valueName: "µs"))
  var latency: Double?

  @Option(help: ArgumentHelp("What a rank gets from the others, in GB/s.", valueName: "GB/s"))
  var bandwidth: Double?

  @Option(help: ArgumentHelp("What a rank reads from memory, in GB/s, while all do.", valueName: "GB/s"))
  var memoryBandwidth: Double?

  @Option(
    help: ArgumentHelp(
      "Which fraction of neurons has x > 0. Default: 0.25, or as measured.", valueName: "fraction"))
  var activeX: Double?

  @Option(
    help: ArgumentHelp("Which fraction has y > 0. Default: 0.05, or as measured.", valueName: "fraction"))
  var activeY: Double?

  func validate() throws {
    if let latency {
      try require(
        latency >= 0 && latency.isFinite, "--latency \(latency): microseconds are needed, 0 or more")
    }
    for (flag, value) in [
      ("--bandwidth", bandwidth), ("--memory-bandwidth", memoryBandwidth) as (String, Double?),
    ] {
      guard let value else { continue }
      try require(value > 0 && value.isFinite, "\(flag) \(value): a positive number of GB/s is needed")
    }
    for (flag, value) in [("--active-x", activeX), ("--active-y", activeY) as (String, Double?)] {
      guard let value else { continue }
      try require((0...1).contains(value), "\(flag) \(value): a fraction between 0 and 1 is needed")
    }
    try require(
      (latency == nil) == (bandwidth == nil),
      latency == nil ? "--bandwidth: --latency is needed too" : "--latency: --bandwidth is needed too")
  }

  var saysActivity: Bool { activeX != nil || activeY != nil }
  var activity: PlannedActivity { PlannedActivity(x: activeX ?? 0.25, y: activeY ?? 0.05) }

  private var exchange: ExchangeConstants? {
    guard let latency, let bandwidth else { return nil }
    return ExchangeConstants(latency: latency * 1e-6, bandwidth: bandwidth * 1e9)
  }

  /// What was given; nil where times cannot be told. - Throws: `ValidationError` for half of what is needed.
  func given(for ranks: [Int], _ isCalibrated: Bool) throws -> MachineConstants? {
    guard !isCalibrated, exchange != nil || memoryBandwidth != nil else { return nil }
    guard let memoryBandwidth else {
      throw ValidationError("--latency and --bandwidth: times need --memory-bandwidth too")
    }
    try require(
      exchange != nil || ranks.allSatisfy { $0 == 1 },
      "--memory-bandwidth: times of several ranks need --latency and --bandwidth too")
    return MachineConstants(exchange: exchange, rows: memoryBandwidth * 1e9)
  }

  /// What was given, and of the rest what was measured.
  func completed(by measured: MachineConstants) -> MachineConstants {
    var result = measured
    if let exchange { result.exchange = exchange }
    if let memoryBandwidth { (result.rows, result.codes) = (memoryBandwidth * 1e9, memoryBandwidth * 1e9) }
    return result
  }
}
