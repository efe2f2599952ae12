import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract:
      "Sizes of a model and of its graph, and what this machine computes with; or what a saved state is.")

  @OptionGroup var options: ModelOptions

  @Option(help: ArgumentHelp("Describe this saved state instead.", valueName: "file"))
  var state: String?

  @Flag(
    help: "The rounds of Table 1 as this model runs them: who sends what to whom, and what each computes.")
  var rounds = false

  @Flag(help: "What this model says in spikes when it runs with --spiking, and what stays analog.")
  var spiking = false

  @Option(
    help:
      "With --rounds or --spiking: circuit (through hubs) or direct (neuron to neuron). Default: circuit; a neuron graph in a file runs in direct form."
  )
  var form: GraphForm?

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    try require(form == nil || rounds || spiking, "--form goes with --rounds or --spiking")
    try require(!rounds || state == nil, "--rounds are a model's; leave --state out")
    try require(!spiking || state == nil, "--spiking is a model's; leave --state out")
    try require(!spiking || !rounds, "--rounds and --spiking are two tables; leave one out")
  }

  func run() throws {
    if let state {
      let report = StateReport(try StateFile.read(state))
      return try show(report, report.lines)
    }
    if spiking {
      let schedule = try schedule(of: options.load())
      guard schedule.hasHubs else { throw SpikingError.withoutHubs }
      let lines = SpikingReport.description(of: schedule)
      return json ? try Output.json(["spiking": lines]) : Output.lines(lines)
    }
    if rounds { return try describeRounds(of: try options.load()) }
    let workers = Workers()
    switch try options.load(workers: workers) {
    case .weights(let model):
      let report = try ModelReport(model, workers: workers)
      try show(report, report.lines)
    case .graph(let file):
      let report = GraphReport(file)
      try show(report, report.lines)
    }
  }

  private func show(_ report: some Encodable, _ lines: @autoclosure () -> [String]) throws {
    if json { try Output.json(report) } else { Output.lines(lines()) }
  }

  private func schedule(of network: Network) throws -> Schedule {
    let sizes = network.hyperparameters
    if form == .circuit { _ = try network.model() }
    if case .graph(let file) = network { return file.graph.schedule }
    return form ?? network.standardForm == .circuit
      ? Schedule.circuit(layers: sizes.layers, variant: sizes.variant)
      : Schedule.direct(layers: sizes.layers, variant: sizes.variant)
  }

  private func describeRounds(of network: Network) throws {
    let (schedule, sizes) = (try schedule(of: network), network.hyperparameters)
    if json { return try Output.json(schedule.table) }
    Output.line(
      "\(schedule.form.rawValue) form, \(sizes.variant.rawValue); l = 0 … \(sizes.layers - 1), rounds −1 … \(4 * sizes.layers - 2)"
    )
    for line in schedule.table {
      Output.line("\(padded(line.round, 9, right: false)) \(line.purpose)")
      for step in line.communication { Output.line("          over synapses   \(step)") }
      for step in line.computation { Output.line("          in particles    \(step)") }
    }
  }
}
