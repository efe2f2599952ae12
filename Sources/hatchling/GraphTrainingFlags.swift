import ArgumentParser
import HatchlingCommands
import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingTraining

extension Rewiring.Growth: ExpressibleByArgument {}
extension Gains: ExpressibleByArgument {}

/// Training a neuron graph on its own synapses.
struct GraphTrainingFlags: ParsableArguments {
  @Option(
    help:
      "What is trained: circuit, the weights of tensors (default), or direct, the synapses of a neuron graph. With --init of a neuron graph: direct."
  )
  var form: GraphForm?

  @Option(
    help: ArgumentHelp(
      "Direct form: synapses between neurons in G_x and in G_y. With --init of weights the strongest, else drawn by lot.",
      valueName: "m"))
  var edges: EdgeCount?

  @Option(
    help:
      "Direct form: which synapses learn while text goes by: complete (default), or those of G_x that are kept."
  )
  var plastic: DirectOptions.Plastic?

  @Option(
    help: ArgumentHelp(
      "Direct form: what gains and the readout go through: hubs (default), or local, for a network without any; with --init of a network that has hubs its gains are what local ones begin with.",
      valueName: "hubs|local"))
  var gains: Gains?

  @Flag(help: "Direct form, with --init of weights: rank token → neuron edges with the others.")
  var pruneTokens = false

  @Flag(
    help: "Direct form: token neurons that the texts do not have send to nobody, which makes a smaller file.")
  var seenTokens = false

  @Option(
    help: ArgumentHelp(
      "Direct form: exchange the weakest synapses for others while training, where the gradient is largest (RigL) or at random (SET).",
      valueName: "gradient|random"))
  var rewire: Rewiring.Growth?

  @Option(help: "With --rewire: updates between exchanges. Default: 50.")
  var rewireEvery: Int?

  @Option(
    help: ArgumentHelp(
      "With --rewire: the fraction that the first exchange drops; it falls to 0 after three quarters of the run. Default: 0.3.",
      valueName: "fraction"))
  var rewireDrop: Double?

  @Flag(help: "Direct form: a synapse that excites never inhibits, and the other way round.")
  var fixedSigns = false

  @Flag(
    help:
      "Direct form: Dale's law, all synapses between neurons that leave a neuron have one sign; those of tokens keep theirs."
  )
  var dale = false

  /// Whether something is said that only a neuron graph has.
  private var choosesGraph: Bool {
    edges != nil || plastic != nil || gains != nil || pruneTokens || seenTokens || fixedSigns || dale
      || rewire != nil
  }

  var isUsed: Bool { form != nil || choosesGraph || rewireEvery != nil || rewireDrop != nil }

  func validate() throws {
    try require(
      form != .circuit || !choosesGraph,
      "--edges, --plastic, --gains, --prune-tokens, --seen-tokens, --fixed-signs, --dale and --rewire are for neuron graphs; say --form direct"
    )
    try require(
      rewire != nil || rewireEvery == nil && rewireDrop == nil,
      "--rewire-every and --rewire-drop say how --rewire exchanges synapses; give it too")
    try require(rewireEvery ?? 1 >= 1, "--rewire-every \(rewireEvery ?? 1): at least 1")
    try require(
      rewireDrop.map { $0 > 0 && $0 <= 1 } ?? true,
      "--rewire-drop \(rewireDrop ?? 0): a fraction above 0, up to 1")
  }

  /// Nil where nothing of it is said: then what the run begins with decides.
  var request: DirectTrainingRequest? {
    guard form == .direct || choosesGraph else { return nil }
    var request = DirectTrainingRequest(edges: edges?.count)
    request.plastic = plastic ?? .complete
    request.gains = gains
    request.prunesTokens = pruneTokens
    request.onlySeenTokens = seenTokens
    request.signs = dale ? .neuron : fixedSigns ? .synapse : .free
    request.rewiring = rewire.map { Rewiring($0, every: rewireEvery ?? 50, drop: rewireDrop ?? 0.3) }
    return request
  }
}
