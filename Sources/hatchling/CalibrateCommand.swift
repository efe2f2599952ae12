import ArgumentParser
import HatchlingCommands
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract:
      "Finds the scales of spikes: how large every quantity becomes while the exact network reads a text.",
    discussion:
      "The file serves every code. --scales-by of the command that uses it says whether a quantity, a layer or a particle has one scale."
  )

  @OptionGroup var model: ModelOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String

  @Option(help: ArgumentHelp("Where the scales go.", valueName: "scales.json"))
  var out: String

  @Option(
    help:
      "Which graph form: circuit (through hubs) or direct (neuron to neuron). Default: circuit; a neuron graph in a file runs in direct form."
  )
  var form: GraphForm?

  @OptionGroup var direct: DirectFormOptions

  @Option(help: "Read at most this many tokens.")
  var tokens = 4096

  @Option(
    help: ArgumentHelp(
      "Find spikes and sub-steps of every quantity with the fewest synaptic events whose mean KL divergence stays within a budget, in nats.",
      valueName: "nats"))
  var kl: Double?

  @Option(help: "With --kl: tokens per segment, the block that the model was trained with.")
  var segment = 128

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    try require(
      tokens >= SpikeScales.fewestTokens,
      "--tokens \(tokens): at least \(SpikeScales.fewestTokens) are needed")
    try direct.check(form, .graph)
    if let kl {
      try require(kl > 0 && kl.isFinite, "--kl \(kl): a positive number of nats is needed")
      try require(form != .direct, "--kl: codes are found for the circuit; leave --form direct out")
    }
    try require(segment >= 1, "--segment \(segment): at least one token is needed")
  }

  func run() throws {
    try OutputPaths.check([out], reading: [model.model, file])
    let workers = threads.workers
    let loaded = try model.load(workers: workers)
    if kl != nil { _ = try loaded.model() }
    let streams = try TextSource.streams(
      text: nil, files: [file], vocabulary: loaded.hyperparameters.vocabulary)
    let read = Array(streams[0].tokens.prefix(tokens))
    let description: EngineDescription =
      form ?? loaded.standardForm == .circuit
      ? EngineDescription(.circuit) : EngineDescription(.direct(direct.compilerOptions))
    var progress = Progress("token", total: read.count)
    let report = try CalibrationReport(
      description, loaded, on: read, workers: workers, afterToken: { progress.update($0) })
    let allocation = try kl.map { budget in
      let weights = try loaded.model().weights
      // Text behind the one that is read checks what was found.
      let others = Array(streams[0].tokens.dropFirst(read.count).prefix(2 * read.count))
      return try SpikeAllocation(
        weights, scales: report.scales, tokens: read, checkedOn: others, segment: segment,
        budget: budget, workers: workers, progress: shownProgress())
    }
    try ScalesFile.write(report.scales, to: out)
    if json {
      try Output.json(report)
      if let allocation { try Output.json(allocation) }
    } else {
      Output.lines(report.lines + (allocation?.lines ?? []))
    }
  }
}
