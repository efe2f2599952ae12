import ArgumentParser
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a model from text.",
    discussion: """
      The last part of every TEXT is held out (--validation). --out holds the best network by held-out loss, the last one where \
      nothing is held out. Beside it lies a checkpoint with everything that --resume needs to go on to the same bits, written at \
      every validation, every five minutes and at an interrupt. --log writes a line per update, and the loss curve as .svg and \
      .png beside it when the run ends. Under mpirun the ranks share out the streams of every batch.
      """)

  @Argument(help: ArgumentHelp("Texts, or - for standard input.", valueName: "text"))
  var texts: [String]

  @Option(help: ArgumentHelp("The trained model.", valueName: "model.safetensors"))
  var out: String

  @OptionGroup var network: NetworkFlags
  @OptionGroup var schedule: ScheduleFlags

  @OptionGroup(title: "Neuron graphs") var graph: GraphTrainingFlags

  @Option(
    help: ArgumentHelp("Fraction of every text that is held out; 0 holds nothing out.", valueName: "fraction")
  )
  var validation: Double?

  @Option(
    help:
      "Updates between validations; the more, the more of the held-out text each reads. Default: a twentieth of the run."
  )
  var validateEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Bytes of the held-out text, from its beginning, that a validation reads. Default: what costs a tenth of the time.",
      valueName: "n|all"))
  var validationBytes: NumberOrAll?

  @Option(help: "Bytes of sample text at every validation; 0 writes none.")
  var sample = 200

  @Option(
    help: ArgumentHelp(
      "Go on training this model with a fresh optimiser: one of ours or a PyTorch state dict.",
      valueName: "model"))
  var `init`: String?

  @Option(help: "With --init: which network, for files that hold several, such as model or ema.")
  var prefix: String?

  @Option(
    help: ArgumentHelp(
      "Go on with an interrupted run, to the same result as without the interruption. Its options come from the file.",
      valueName: "checkpoint"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "A line per update, as CSV, and a picture of the loss beside it.", valueName: "file.csv"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "A row per validation, as CSV, and a picture: activity, modularity and tail exponents of G_x.",
      valueName: "file.csv"))
  var logTopology: String?

  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    try require(
      `init` == nil || resume == nil,
      "--init and --resume exclude each other: begin a new run, or go on with one")
    try require(
      resume == nil || !graph.isUsed,
      "--form, --edges, --plastic, --gains, --rewire and other options of neuron graphs come from the checkpoint; leave them out with --resume"
    )
    try require(
      graph.gains != .local || network.synapticDimension == nil || `init` != nil,
      "--d: with --gains local there are no hubs to count; leave it out")
    try require(
      prefix == nil || `init` != nil, "--prefix chooses the network that --init begins with; give it too")
  }

  var request: TrainingRequest {
    var request = TrainingRequest(texts: texts, out: out)
    request.beginning =
      `init`.map { .model(path: $0, prefix: prefix) } ?? resume.map { .checkpoint(path: $0) } ?? .untrained
    (request.network, request.schedule, request.minutes) = (
      network.choices, schedule.choices, schedule.minutes
    )
    request.direct = graph.request
    (request.heldOut, request.validateEvery, request.sample) = (validation, validateEvery, sample)
    request.validationBytes = validationBytes.map { $0.number ?? .max }
    request.sharesStreams = Launch.startedRanks != nil
    (request.log, request.emergenceLog) = (log, logTopology)
    request.metadata = {
      ["training.flags": $0.flags, "training.version": "hatchling \(Version.number)"]
    }
    return request
  }

  func run() throws {
    let session = try TrainingSession(request, ranks: Job.ranks, workers: threads.workers) {
      note("warning: \($0)")
    }
    var display = TrainingDisplay(isTimed: schedule.minutes != nil)
    display.open(session)
    Interrupts.ask()
    defer { Interrupts.end() }
    let outcome: TrainingOutcome
    do {
      outcome = try session.train(
        report: { display.show($0) }, isInterrupted: { Interrupts.requested != nil })
    } catch {
      display.clear()
      throw error
    }
    display.clear()
    switch (outcome.end, outcome.bestLoss, outcome.bestStep) {
    case (.interrupted, _, _):
      Output.line(
        "interrupted after step \(outcome.step) of \(outcome.steps); --resume \(request.checkpointPath) goes on"
      )
    case (.finished, let best?, let step?):
      Output.line("best held-out loss \(decimal(best)) nats per byte after step \(step), written to \(out)")
    case (.finished, _, _): Output.line("written to \(out)")
    }
    Output.lines(outcome.pictures)
    Output.flush()
    if outcome.end == .interrupted, let signal = Job.interrupt { throw Interrupted(signal: signal) }
  }
}

/// The sizes of a new network.
struct NetworkFlags: ParsableArguments {
  @Option(name: .customLong("n"), help: "Neurons of all heads. Default: 2048.")
  var neurons: Int?

  @Option(name: .customLong("d"), help: "The synaptic dimension. Default: 64.")
  var synapticDimension: Int?

  @Option(help: "Heads; every one has n / heads neurons, an even number. Default: 4.")
  var heads: Int?

  @Option(help: "How often a token passes through the weights. Default: 4.")
  var layers: Int?

  @Option(help: "The layer rule: released (default), definition4 or normfree.")
  var variant: Variant?

  var choices: TrainingChoices<Hyperparameters> {
    var choices = TrainingChoices<Hyperparameters>()
    choices.choose(.neurons, \.neurons, neurons)
    choices.choose(.synapticDimension, \.synapticDimension, synapticDimension)
    choices.choose(.heads, \.heads, heads)
    choices.choose(.layers, \.layers, layers)
    choices.choose(.variant, \.variant, variant)
    return choices
  }
}
