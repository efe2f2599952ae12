import ArgumentParser
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Refuses options that cannot be run.
func require(_ holds: Bool, _ complaint: @autoclosure () -> String) throws {
  if !holds { throw ValidationError(complaint()) }
}

enum EngineChoice: String, ExpressibleByArgument, CaseIterable { case graph, tensor }
extension GraphForm: ExpressibleByArgument {}
extension ExchangeWay: ExpressibleByArgument {}
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable { case float, double }

/// A command that runs in either precision.
protocol EitherPrecisionCommand: ParsableCommand {
  var precision: PrecisionChoice { get }
  func run<Scalar: NetworkScalar>(in: Scalar.Type) throws
}

extension EitherPrecisionCommand {
  func run() throws {
    switch precision {
    case .float: try run(in: Float.self)
    case .double: try run(in: Double.self)
    }
  }
}

extension ReducedFormat: ExpressibleByArgument {}

extension Variant: ExpressibleByArgument {}

/// What a checkpoint may not say of itself.
struct CheckpointOptions: ParsableArguments {
  @Option(help: "Number of layers, for checkpoints that do not record it.")
  var layers: Int?

  @Option(help: "The layer rule, for checkpoints that do not record it: released, definition4 or normfree.")
  var variant: Variant?

  @Option(help: "Which network, for files that hold several, such as model or ema.")
  var prefix: String?

  /// Weights, of a circuit as SONATA too; a neuron graph is refused.
  func load(_ path: String, workers: Workers = Workers()) throws -> Model {
    try network(path, ranks: nil, workers: workers).model()
  }

  func network(_ path: String, ranks: Ranks?, workers: Workers) throws -> Network {
    try Network.load(
      path: path, layers: layers, variant: variant, prefix: prefix, ranks: ranks, workers: workers)
  }
}

/// Which model, for every command.
struct ModelOptions: ParsableArguments {
  @Option(
    help:
      "A .safetensors or PyTorch .pt/.pth state dict, a circuit as SONATA (.h5), or a neuron graph; or sparse, the graph that comes with the program, or europarl, which reads and translates a parliament's English and French. Default: the small network that comes with it."
  )
  var model: String?

  @OptionGroup var checkpoint: CheckpointOptions

  /// - Parameter ranks: each loads its own neurons.
  func load(ranks: Ranks? = nil, workers: Workers = Workers()) throws -> Network {
    let network = try announced("reading '\(model ?? ShippedNetwork.shipped.rawValue)'") {
      try ranks.together {
        try model.map { try checkpoint.network($0, ranks: ranks, workers: workers) }
          ?? .weights(
            Model.shipped(
              layers: checkpoint.layers, variant: checkpoint.variant, only: ranks?.choice, workers: workers))
      }
    }
    for warning in network.warnings { note("warning: \(warning)") }
    return network
  }
}

/// The one text that a command reads.
struct TextOptions: ParsableArguments {
  @Argument(help: "The text, or - for standard input.")
  var file: String?

  @Option(help: "The text itself, instead of FILE.")
  var text: String?

  /// The file, if there is one.
  var files: [String] { file.map { [$0] } ?? [] }

  /// - Throws: as `TextSource.streams`.
  func tokens(below vocabulary: Int, ranks: Ranks? = nil) throws -> [Int] {
    try TextSource.streams(text: text, files: files, vocabulary: vocabulary, ranks: ranks)[0].tokens
  }
}

/// How many threads, for every command with long work.
struct ThreadOptions: ParsableArguments {
  @Option(help: "At most this many threads; results do not depend on it. Default: all cores.")
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Among ranks: end the job when one has waited for another for so long. Default: wait.",
      valueName: "seconds"))
  var rankTimeout: Double?

  @Option(
    help:
      "Among ranks: how sums pass, gather (everybody gets all) or reduce (in pairs). Results do not depend on it. Default: reduce on several machines with 8 ranks or 11 and more, else gather."
  )
  var exchange: ExchangeWay?

  func validate() throws {
    try require(threads ?? 1 >= 1, "--threads \(threads ?? 1): at least one thread is needed")
    if let exchange {
      try require(Job.ranks != nil, "--exchange \(exchange.rawValue): there are no ranks; mpirun starts them")
    }
    guard let rankTimeout else { return }
    try require(
      rankTimeout >= 1 && rankTimeout <= 1e6, "--rank-timeout \(rankTimeout): 1 to 1000000 seconds are needed"
    )
    try require(Job.ranks != nil, "--rank-timeout: there are no ranks; mpirun starts them")
  }

  /// The threads that do the work. From the first call on the ranks of a job exchange as they are told, and wait for each other as long as
  /// they may.
  var workers: Workers {
    if let exchange { Job.ranks?.way = exchange }
    if let rankTimeout { Job.limitWaiting(to: rankTimeout) }
    return Workers(threads: threads ?? Job.threads)
  }
}

/// What every stepping command shares.
struct SteppingOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions

  @Option(help: "Which formulation runs: graph or tensor.")
  var engine: EngineChoice = .graph

  @Option(
    help:
      "Which graph form: circuit (through hubs) or direct (neuron to neuron). Default: circuit; a neuron graph in a file runs in direct form."
  )
  var form: GraphForm?

  @OptionGroup var direct: DirectFormOptions

  @Option(help: "Arithmetic and state of the run: float or double.")
  var precision: PrecisionChoice = .float

  @Option(help: "Keep the weights of D_x, D_y and E in fewer bits and compute from them: bf16 or int8.")
  var weights: ReducedFormat?

  @OptionGroup var threads: ThreadOptions

  @Option(help: ArgumentHelp("Go on from a saved state.", valueName: "file"))
  var stateIn: String?

  @Option(help: ArgumentHelp("Save the state at the end.", valueName: "file"))
  var stateOut: String?

  @Option(help: ArgumentHelp("Write all logits, (tokens, V), as one NumPy array.", valueName: "file.npy"))
  var logits: String?

  @OptionGroup(title: "Spikes") var spikes: SpikingFlags

  @OptionGroup(title: "Interventions") var interventions: InterventionFlags

  @Flag(help: "One JSON object per line instead of the table.")
  var json = false

  func validate() throws {
    if let weights {
      let flag = "--weights \(weights.rawValue)"
      try require(
        engine == .graph && form ?? .circuit == .circuit,
        "\(flag): only the circuit computes from reduced weights")
      try require(precision == .float, "\(flag): goes with --precision float")
    }
    try direct.check(form, engine)
    if let code = spikes.spiking { try checkSpikes("--spiking \(code)") }
    let name = logits ?? ".npy"
    try require(name.hasSuffix(".npy"), "--logits '\(name)': the file is a NumPy array, name it .npy")
  }

  private func checkSpikes(_ flag: String) throws {
    try require(engine == .graph, "\(flag): tensors do not send spikes; leave --engine tensor out")
    try require(weights == nil, "\(flag): does not go with --weights")
    try require(
      !interventions.isUsed,
      "\(flag): --cut, --silence and --set are measured on the exact network; leave one out")
    try require(
      spikes.scales != nil || stateIn == nil && stateOut == nil,
      "\(flag): \(stateIn != nil ? "--state-in" : "--state-out"): a state goes on with the same scales only; find them with calibrate and give them with --scales"
    )
  }

  var workers: Workers { threads.workers }

  /// The engine that was asked for, on numbers.
  func exactEngine(of network: Network) -> EngineDescription {
    switch (engine, form ?? network.standardForm) {
    case (.tensor, _): EngineDescription(.tensors)
    case (.graph, .circuit): EngineDescription(.circuit, reduced: weights)
    case (.graph, .direct): EngineDescription(.direct(direct.compilerOptions), reduced: weights)
    }
  }

  /// Tries the files that are to be written. - Throws: `OutputError`, `CheckpointError`.
  func checkOutputs(
    _ others: [String?] = [], folders: [String?] = [], reading texts: [String] = []
  ) throws {
    try Job.ranks.together {
      guard Job.speaks else { return }
      try OutputPaths.check(
        [stateOut, logits] + others, folders: folders, reading: [model.model] + texts)
    }
  }

  var files: StreamFiles { StreamFiles(stateIn: stateIn, stateOut: stateOut, logits: logits) }
}
