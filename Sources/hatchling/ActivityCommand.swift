import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingNumerics

struct ActivityCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "activity",
    abstract: "How activity goes with surprise, when synapses are written, and how long they remember.",
    discussion: """
      Active fractions of x and y by layer and by the neurons' clocks against the loss of the byte that is read, also inside equal bytes; \
      intervals from one event or write to the next beside chance; concentration, degrees and half-lives of plastic weights \
      (§6.2 to §6.4). With --as-task the text is the memorising task that memorise-corpus writes. docs/meaning.md explains every number.
      """)

  @OptionGroup var options: SteppingOptions

  @Argument(help: "Files to read, or - for standard input.")
  var files: [String] = []

  @Option(help: "The text itself.")
  var text: String?

  @Option(
    help: ArgumentHelp("The folder for tables and pictures; made if it is not there.", valueName: "folder"))
  var out: String?

  @Option(help: "Only the first N tokens of every file.")
  var tokens: Int?

  @Option(help: ArgumentHelp("Tokens of a segment, which the bootstrap draws.", valueName: "tokens"))
  var segment = ActivityRequest().segment

  @Flag(
    help:
      "Read every segment from the beginning, for networks that fall apart in long streams; what is left of a file counts nowhere."
  )
  var anew = false

  @Option(
    help: ArgumentHelp(
      "Tokens at the beginning of every stream that are not compared with surprise.", valueName: "tokens"))
  var leaveOut = ActivityRequest().leftOut

  @Option(help: "Groups of neurons by the frequency of their clocks.")
  var buckets = ActivityRequest().buckets

  @Option(help: "Bootstrap resamples and permutations; power-law fits take at most 100.")
  var resamples = ActivityRequest().resamples

  @Option(help: "Pairs of neurons per layer whose writes are looked at.")
  var pairs = ActivityRequest().synapses

  @Option(
    help: ArgumentHelp(
      "Tokens after which σ is looked at. Default: powers of 4 from 64 on, and the end of the first stream.",
      valueName: "t,…"))
  var sigmaAfter: String?

  @OptionGroup(title: "The memorising task") var task: TaskFlags

  @Flag(help: "The text is the memorising task: report by showing, one segment per episode.")
  var asTask = false

  @Option(
    help: ArgumentHelp(
      "Instead of the network an untrained one of the same sizes, clocks and damping.", valueName: "seed"))
  var untrained: UInt64?

  @Option(help: "Of everything that is drawn.")
  var seed: UInt64 = 1

  var precision: PrecisionChoice { options.precision }

  func validate() throws {
    try require(tokens ?? 1 >= 1, "--tokens \(tokens ?? 1): at least one token is needed")
    _ = try request()
  }

  private func request() throws -> ActivityRequest {
    var request = ActivityRequest()
    (request.segment, request.startsAnew, request.leftOut) = (segment, anew, leaveOut)
    (request.buckets, request.resamples, request.synapses) = (buckets, resamples, pairs)
    request.positions = try sigmaAfter.map {
      try EdgeCount.list($0, in: 1...Int.max) {
        "--sigma-after '\($0)': numbers of tokens are needed, separated by commas"
      }
    }
    (request.task, request.seed) = (asTask ? task.task : nil, seed)
    do {
      try request.check()
    } catch {
      throw ValidationError(FlagAdvice.message(for: error))
    }
    return request
  }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    try options.checkOutputs(folders: [out], reading: files)
    let (request, workers) = (try request(), options.workers)
    let loaded = try options.model.load(workers: workers)
    let network = try untrained.map { try loaded.untrainedTwin(seed: $0) } ?? loaded
    let streams = try TextSource.streams(
      text: text, files: files, vocabulary: network.hyperparameters.vocabulary
    ).map { TokenStream(name: $0.name, tokens: Array($0.tokens.prefix(tokens ?? .max))) }
    let names = options.names(of: network)
    let reader = try StreamReader<Scalar>(
      options.engineDescription(of: network, reading: streams.flatMap(\.tokens), workers: workers), network,
      files: options.files, interventions: options.interventions.parsed(names), workers: workers)
    let name = (options.model.model?.nameInPath ?? "shipped") + (untrained.map { ", untrained \($0)" } ?? "")
    let report = try reader.activityReport(
      request, of: streams, network: network, model: name, workers: workers, progress: shownProgress())
    try reader.finish()
    let written = try out.map { try report.write(into: $0) } ?? []
    if options.json { try Output.json(report) } else { Output.lines(report.lines + written) }
  }
}

/// What the memorising task looks like.
struct TaskFlags: ParsableArguments {
  @Option(help: "Letters of the warm-up, which every episode begins with.")
  var warmUp = MemorisingTask().warmUp

  @Option(help: "Letters of a word.")
  var word = MemorisingTask().word

  @Option(help: "How often a word is shown.")
  var showings = MemorisingTask().showings

  var task: MemorisingTask {
    var task = MemorisingTask()
    (task.warmUp, task.word, task.showings) = (warmUp, word, showings)
    return task
  }
}
