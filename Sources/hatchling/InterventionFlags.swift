import ArgumentParser
import HatchlingActivity
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics

/// Changes of the network while it runs, and what they are compared with.
struct InterventionFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Cut a plastic synapse: its weight is 0 whenever a token is read. 2:h3:n12, in the direct form 2:n3:n12 or 2:t65:n12. Repeatable.",
      valueName: "l:pre:post"))
  var cut: [String] = []

  @Option(
    help: ArgumentHelp("Silence a neuron in all layers: its x and y are 0. Repeatable.", valueName: "n"))
  var silence: [String] = []

  @Option(
    help: ArgumentHelp(
      "Give a plastic synapse the weight W when the token at position TOKEN is read. Repeatable.",
      valueName: "l:pre:post=w@token"))
  var set: [String] = []

  @Option(
    help:
      "With --cut, --silence or --set: how many random synapses or neurons of equal strength are touched for comparison."
  )
  var controls = 20

  var isUsed: Bool { !(cut.isEmpty && silence.isEmpty && set.isEmpty) }

  func validate() throws {
    try require(
      (0...1000).contains(controls), "--controls \(controls): between 0 and 1000 of them can be run")
  }

  func parsed(_ names: ParticleNames) throws -> Interventions {
    var interventions = Interventions()
    interventions.cuts = try cut.map(names.synapse)
    interventions.silenced = try silence.flatMap(names.neurons)
    interventions.settings = try set.map { try Interventions.setting($0, names) }
    return interventions
  }
}

extension SteppingOptions {
  /// Names of particles in the form that was asked for.
  func names(of network: Network) -> ParticleNames {
    ParticleNames(
      form: engine == .graph ? form ?? network.standardForm : .circuit, network.hyperparameters)
  }

  /// Says what interventions did, against the untouched run and random ones. Nothing where there are none.
  func reportInterventions(
    _ interventions: Interventions, on tokens: [Int], _ network: Network, workers: Workers
  ) throws {
    guard !interventions.isEmpty, !tokens.isEmpty else { return }
    // A state of another precision does not go on in double.
    if stateIn != nil && precision == .float {
      return note(
        "what the interventions changed is measured in double; add --precision double to go on from a state")
    }
    let report = try InterventionReport(
      interventions, on: tokens, exactEngine(of: network), network,
      state: try stateIn.map { try StateFile.read($0) },
      controls: self.interventions.controls, workers: workers, progress: shownProgress())
    if json { try Output.json(["interventions": report]) } else { Output.lines(report.lines) }
  }
}
