import ArgumentParser
import HatchlingActivity
import HatchlingCommands
import HatchlingModel

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Which synapses and neurons carried a prediction.",
    discussion: """
      Takes the logit after one token of FILE apart: exactly, as a sum over neurons, up to the next normaliser; to first order, through \
      normalisers and rectifiers, for every neuron, plastic and fixed synapse; and checks the latter by really cutting. In the circuit, in \
      double. docs/explaining.md has the equations and how far first order can be trusted.
      """)

  @OptionGroup var model: ModelOptions

  @OptionGroup var source: TextOptions

  @Option(
    help: ArgumentHelp(
      "The position of the token whose prediction is explained: what is expected after it.", valueName: "t"))
  var token: Int

  @Option(
    help: ArgumentHelp(
      "Explain the logit of this byte: a character, \\n, \\t, \\r, x0A, or t10 for a token by its number. Default: the byte that follows, at the end the most likely.",
      valueName: "byte"))
  var predicts: String?

  @Option(
    help: ArgumentHelp("Less the logit of this byte. Default: less the mean of all.", valueName: "byte"))
  var against: String?

  @Option(help: ArgumentHelp("Only carriers of this layer. Default: all.", valueName: "k"))
  var layer: Int?

  @Option(
    help: ArgumentHelp(
      "Also what drove this neuron in this layer, exactly: 2:n12. Repeatable.", valueName: "l:n"))
  var neuron: [String] = []

  @Option(help: "Rows of each table.")
  var top = 20

  @Option(
    help: ArgumentHelp(
      "Really cut so many of each kind, those that count most and as many at random; 0 for none. Default: 1000, fewer for networks of more than 4 million plastic weights.",
      valueName: "n"))
  var check: Int?

  @Option(help: "Seed of what is drawn at random.")
  var seed: UInt64 = 1

  @OptionGroup var threads: ThreadOptions

  @Option(help: ArgumentHelp("Go on from a saved state of the circuit in double.", valueName: "file"))
  var stateIn: String?

  @Option(help: ArgumentHelp("Also write all that was found as a table.", valueName: "file.csv"))
  var out: String?

  @Flag(help: "One JSON object instead of the tables.")
  var json = false

  func validate() throws {
    try require(token >= 0, "--token \(token): positions count from 0")
    try require((1...100_000).contains(top), "--top \(top): between 1 and 100000 rows are shown")
    try require((0...100_000).contains(check ?? 0), "--check \(check ?? 0): between 0 and 100000 are cut")
    let name = out ?? ".csv"
    try require(name.hasSuffix(".csv"), "--out '\(name)': the file is a table, name it .csv")
    for (option, byte) in [("--predicts", predicts), ("--against", against)] {
      do { _ = try byte.map(ExplainedLogit.token) } catch {
        throw ValidationError("\(option): \(error)")
      }
    }
  }

  func run() throws {
    try OutputPaths.check([out], reading: [model.model, stateIn] + source.files)
    let workers = threads.workers
    let network = try model.load(workers: workers).model()
    let text = try source.tokens(below: network.hyperparameters.vocabulary)
    var request = ExplainRequest(position: token)
    request.predicts = try predicts.map(ExplainedLogit.token)
    request.against = try against.map(ExplainedLogit.token)
    request.layers = layer.map { [$0] }
    let names = ParticleNames(form: .circuit, network.hyperparameters)
    request.neurons = try neuron.map(names.layerNeuron)
    (request.top, request.checks, request.seed) = (top, check, seed)
    let report = try ExplainReport(
      request, of: text, network, stateIn: stateIn, workers: workers, progress: shownProgress())
    if json { try Output.json(report) } else { Output.lines(report.lines) }
    guard let out else { return }
    try report.write(to: out)
    if !json { Output.line("written to \(out)") }
  }
}
