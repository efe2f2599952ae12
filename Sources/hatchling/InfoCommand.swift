import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingDynamics
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

  @Option(help: "With --rounds or --spiking: circuit (through hubs) or direct (neuron to neuron).")
  var form: FormChoice = .circuit

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    try require(form == .circuit || rounds || spiking, "--form direct goes with --rounds or --spiking")
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
      let lines = SpikingReport.description(of: schedule(of: try options.load().hyperparameters))
      return json ? try Output.json(["spiking": lines]) : Output.lines(lines)
    }
    if rounds { return try describeRounds(of: try options.load().hyperparameters) }
    let workers = Workers()
    let report = try ModelReport(try options.load(workers: workers), workers: workers)
    try show(report, report.lines)
  }

  private func show(_ report: some Encodable, _ lines: @autoclosure () -> [String]) throws {
    if json { try Output.json(report) } else { Output.lines(lines()) }
  }

  private func schedule(of sizes: Hyperparameters) -> Schedule {
    form == .circuit
      ? Schedule.circuit(layers: sizes.layers, variant: sizes.variant)
      : Schedule.direct(layers: sizes.layers, variant: sizes.variant)
  }

  private func describeRounds(of sizes: Hyperparameters) throws {
    let schedule = schedule(of: sizes)
    if json { return try Output.json(schedule.table) }
    Output.line(
      "\(form.rawValue) form, \(sizes.variant.rawValue); l = 0 … \(sizes.layers - 1), rounds −1 … \(4 * sizes.layers - 2)"
    )
    for line in schedule.table {
      Output.line("\(padded(line.round, 9, right: false)) \(line.purpose)")
      for step in line.communication { Output.line("          over synapses   \(step)") }
      for step in line.computation { Output.line("          in particles    \(step)") }
    }
  }
}
