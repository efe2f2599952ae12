import ArgumentParser
import HatchlingActivity
import HatchlingCommands
import HatchlingNumerics

struct RecordCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Records activity and plastic weights while the network reads.",
    discussion: """
      The ending of --out chooses the format: .h5 (SONATA), .nwb (Neurodata Without Borders), .npy (records, with a .json beside it) or \
      .csv. x and y are events, a neuron fired at a token; everything else is recorded in full. What the network computes stays the \
      same to the last bit. With fewer --threads than there are cores, another thread writes the file. \
      docs/recording.md shows the files and how to read them.
      """)

  @OptionGroup var options: SteppingOptions

  @Argument(help: "Files to read, or - for standard input.")
  var files: [String] = []

  @Option(help: "The text itself.")
  var text: String?

  @Option(help: ArgumentHelp("The file to write: .h5, .nwb, .npy or .csv.", valueName: "run"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Quantities separated by commas: x, rotated, y, a, v, z, gains, drive_x, excitation_x, inhibition_x, drive_y, excitation_y, inhibition_y. Default: x,y, or none where synapses or spikes are chosen.",
      valueName: "x,y,…"))
  var what: String?

  @Option(help: ArgumentHelp("The layer, or all. Default: all.", valueName: "k|all"))
  var layer: NumberOrAll?

  @Option(help: ArgumentHelp("Only these neurons: 3,n12,100-199.", valueName: "list"))
  var neurons: String?

  @Flag(help: "x and y of every neuron, not only of those that fired.")
  var dense = false

  @Flag(help: "SONATA and NWB: also how large x or y was at every event. CSV and NPY hold it anyway.")
  var values = false

  @Option(
    help: ArgumentHelp(
      "With --spiking: every spike, sub-step by sub-step, of v, x, rotated, a, y, in the direct form z, x, rotated, A, y, v, or of all.",
      valueName: "v,x,…|all"))
  var spikes: String?

  @OptionGroup(title: "Plastic synapses") var chosen: SynapseFlags

  @OptionGroup(title: "Which tokens") var sampling: SamplingFlags

  @Option(help: ArgumentHelp("Milliseconds that a token takes in the file.", valueName: "ms"))
  var tokenMs = 1.0

  @Option(help: "Layers of a token in the file's time: successive inside the token, or simultaneous.")
  var layersInTime: TimeConvention.Layers = .successive

  var precision: PrecisionChoice { options.precision }

  func validate() throws {
    let list = spikes.map { "--spikes \($0)" } ?? ""
    try require(spikes == nil || options.spikes.isUsed, "\(list): goes with --spiking")
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let ranks = try options.ranks()
    try options.checkOutputs(RecordingFormat(path: out).files(at: out), reading: files)
    let workers = options.workers
    let network = try options.model.load(ranks: ranks, workers: workers)
    let streams = try TextSource.streams(
      text: text, files: files, vocabulary: network.hyperparameters.vocabulary, ranks: ranks)
    let names = options.names(of: network)
    let order = try order(for: names)
    let stepper = try StreamReader<Scalar>(
      options.engineDescription(of: network, reading: streams.flatMap(\.tokens), workers: workers), network,
      files: options.files,
      interventions: options.interventions.parsed(names), ranks: ranks, workers: workers)
    let total = streams.reduce(0) { $0 + $1.tokens.count }
    var progress: Progress?
    var interrupt: Int32?
    Interrupts.ask()
    let report = try stepper.record(
      order, of: streams, to: out, model: options.model.model ?? "shipped",
      afterToken: {
        if progress == nil { progress = Progress("token", total: total) }
        progress?.update($0)
      },
      isOver: {
        interrupt = Job.interrupt
        return interrupt != nil
      })
    try stepper.finish()
    if options.json { try Output.json(report) } else { Output.lines(report.lines) }
    if let signal = interrupt ?? Job.interrupt { throw Interrupted(signal: signal) }
  }

  private func order(for names: ParticleNames) throws -> RecordingOrder {
    let list = what ?? (chosen.isUsed || spikes != nil ? "" : "x,y")
    var request = RecordingRequest(
      try list.split(separator: ",").map {
        try RecordedQuantity(name: $0.trimmingCharacters(in: .whitespaces))
      },
      layers: layer?.number.map { [$0] }, neurons: try neurons.map(names.neurons))
    (request.isDense, request.hasEventValues) = (dense, values)
    request.spikes = (spikes ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    request.sampling = sampling.sampling
    request.synapseQuantities = chosen.writes ? SynapseQuantity.allCases : [.sigma]
    request.time = try TimeConvention(millisecondsPerToken: tokenMs, layers: layersInTime)
    var order = RecordingOrder(request)
    order.synapses = try chosen.choices(names)
    order.choosesAfter = chosen.chooseAfter
    return order
  }
}

/// Which plastic synapses, by list, neuron, strength or predicate.
struct SynapseFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "These, separated by commas: 2:h3:n12, in the direct form 2:n3:n12 or 2:t65:n12.",
      valueName: "l:pre:post,…"))
  var synapses: String?

  @Option(help: ArgumentHelp("All that end at these neurons.", valueName: "list"))
  var synapsesInto: String?

  @Option(help: ArgumentHelp("The strongest K after a first reading.", valueName: "k"))
  var strongest: Int?

  @Option(
    help: ArgumentHelp("All with a weight of at least W in size after a first reading.", valueName: "w"))
  var synapsesAbove: Double?

  @Option(
    help: ArgumentHelp(
      "Tokens of that first reading. Default: the whole first text.", valueName: "t"))
  var chooseAfter: Int?

  @Flag(
    help: "Also what every token wrote, and who wrote it: presynaptic activity and rotated postsynaptic x.")
  var writes = false

  func validate() throws {
    try require(
      chooseAfter == nil || strongest != nil || synapsesAbove != nil,
      "--choose-after says when --strongest or --synapses-above look; give one of them")
    try require(chooseAfter ?? 1 >= 1, "--choose-after \(chooseAfter ?? 1): at least one token is needed")
    try require(
      synapsesAbove ?? 0 >= 0, "--synapses-above \(synapsesAbove ?? 0): a strength is at least 0")
    try require(isUsed || !writes, "--writes is about synapses; choose some")
  }

  var isUsed: Bool { synapses != nil || synapsesInto != nil || strongest != nil || synapsesAbove != nil }

  func choices(_ names: ParticleNames) throws -> [SynapseChoice] {
    var choices: [SynapseChoice] = []
    if let synapses {
      choices.append(.listed(try synapses.split(separator: ",").map { try names.synapse(String($0)) }))
    }
    if let synapsesInto { choices.append(.into(try names.neurons(synapsesInto))) }
    if let strongest { choices.append(.strongest(strongest)) }
    if let synapsesAbove { choices.append(.matching { $1.magnitude >= synapsesAbove }) }
    return choices
  }
}

/// Which tokens, and which numbers of them.
struct SamplingFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Every N-th token.", valueName: "n"))
  var every = 1

  @Option(help: ArgumentHelp("Only tokens whose loss exceeds this, in nats.", valueName: "nats"))
  var surpriseAbove: Double?

  @Option(help: ArgumentHelp("Only numbers that changed by more since last recorded.", valueName: "d"))
  var changeAbove: Double?

  @Flag(help: "Of x and y, only how many neurons fired in each layer.")
  var counts = false

  var sampling: Sampling {
    var sampling = Sampling()
    (sampling.every, sampling.surpriseAbove, sampling.changeAbove) = (every, surpriseAbove, changeAbove)
    sampling.countsOnly = counts
    return sampling
  }
}

extension TimeConvention.Layers: ExpressibleByArgument {}
