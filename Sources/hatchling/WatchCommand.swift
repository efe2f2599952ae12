import ArgumentParser
import Foundation
import HatchlingActivity
import HatchlingCommands
import HatchlingNumerics

struct WatchCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract:
      "Shows a text tinted by the strength of plastic synapses and neurons while the network reads it.",
    discussion: """
      As Figs. 12 and 13 of the paper: what a synapse is worth after every byte, what each byte wrote, and who wrote it. On a terminal \
      in colours, else, or with NO_COLOR, as a table. --out writes .csv, or draws .svg and .png.
      """)

  @OptionGroup var options: SteppingOptions

  @OptionGroup var source: TextOptions

  @Option(
    help: ArgumentHelp(
      "A plastic synapse: 2:h3:n12, in the direct form 2:n3:n12 or 2:t65:n12. Repeatable.",
      valueName: "l:pre:post"))
  var synapse: [String] = []

  @Option(help: ArgumentHelp("A neuron in a layer: 2:n12. Repeatable.", valueName: "l:n"))
  var neuron: [String] = []

  @Flag(help: "Tint neurons by x instead of y.")
  var byX = false

  @Option(help: "Only the first N tokens.")
  var tokens: Int?

  @Option(help: ArgumentHelp("Also write .csv, or draw .svg and .png.", valueName: "file"))
  var out: String?

  func validate() throws {
    try require(tokens ?? 1 >= 1, "--tokens \(tokens ?? 1): at least one token is needed")
    try require(!synapse.isEmpty || !neuron.isEmpty, "name a --synapse L:PRE:POST or a --neuron L:N to watch")
    let name = out ?? ".csv"
    try require(
      [".csv", ".svg", ".png"].contains { name.hasSuffix($0) }, "--out '\(name)': name it .csv, .svg or .png")
    try require(!options.json, "--json: watch has no JSON; --out FILE.csv writes its numbers")
  }

  var precision: PrecisionChoice { options.precision }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let written = out.map { WatchReport.files(for: $0, items: synapse.count + neuron.count) } ?? []
    try options.checkOutputs(written, reading: source.files)
    let workers = options.workers
    let network = try options.model.load(workers: workers)
    let text = try source.tokens(below: network.hyperparameters.vocabulary)
    let read = Array(text.prefix(tokens ?? .max))
    let names = options.names(of: network)
    let interventions = try options.interventions.parsed(names)
    let stepper = try StreamReader<Scalar>(
      options.engineDescription(of: network, reading: read, workers: workers), network, files: options.files,
      interventions: interventions, workers: workers)
    let watched = try WatchedText(
      read, synapses: try synapse.map(names.synapse), neurons: try neuron.map(names.layerNeuron),
      tintsByX: byX,
      on: stepper.watchable, by: { try stepper.step($0) })
    try stepper.finish()
    let report = WatchReport(watched)
    let isTerminal = isatty(1) != 0 && ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty != false
    let lines = report.lines(inColour: isTerminal)
    // The report has escaped what is not its own colours.
    if isTerminal { Output.write((lines.joined(separator: "\n") + "\n").utf8) } else { Output.lines(lines) }
    if let out { Output.lines(try report.write(to: out)) }
    try options.reportInterventions(interventions, on: read, network, workers: workers)
  }
}
