import ArgumentParser
import HatchlingActivity
import HatchlingCommands
import HatchlingDynamics
import HatchlingEquivalence
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

struct VerifyCommand: EitherPrecisionCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Steps graph and tensors over the same tokens and compares them quantity by quantity.",
    discussion: """
      A neuron graph in a file is compared with its own dense tensors. \
      Exit status 0 when all quantities agree within the tolerance, 1 when not. With --weights the graph computes from reduced \
      weights, the tensors from float32, and the predictions are judged: by --max-kl.
      --nudge KIND:PRE:POST:FACTOR multiplies one compiled synapse first, to show that the check can fail: x:h3:n12:1.1, \
      y:h3:n12:1.1, encoder:n12:h3:1.1, embedding:t65:h3:1.1, readout:h3:o65:1.1; plastic:h3:n12:1.1:TOKEN:LAYER multiplies the \
      Hebbian weight after that token. With --form direct synapses start at neurons or tokens: x:n3:n12:1.1, y:t65:n12:1.1, \
      plastic:n3:n12:1.1:TOKEN:LAYER.
      """)

  @OptionGroup var options: SteppingOptions

  @OptionGroup var source: TextOptions

  @Option(help: "Compare only the first N tokens.")
  var tokens: Int?

  @Option(help: "Largest relative difference. Default: 1e-4 in float, 1e-10 in double.")
  var tolerance: Double?

  @Option(
    name: .customLong("max-kl"),
    help:
      "With --weights or --spiking: largest mean KL divergence in nats. Default: 1e-2 for bf16, 5e-2 for int8 and spikes."
  )
  var maxKL: Double?

  @Option(help: "With --spiking stochastic:K: the same seed gives the same spikes. Default: 1.")
  var seed: UInt64?

  @Option(help: ArgumentHelp("Multiply one synapse of the graph first.", valueName: "kind:pre:post:factor"))
  var nudge: String?

  func validate() throws {
    func isSize(_ value: Double) -> Bool { value >= 0 && value.isFinite }
    try require(tokens ?? 1 >= 1, "--tokens \(tokens ?? 1): at least one token is needed")
    try require(isSize(tolerance ?? 0), "--tolerance \(tolerance ?? 0): 0 or a positive number is needed")
    try require(isSize(maxKL ?? 0), "--max-kl \(maxKL ?? 0): 0 or a positive number is needed")
    try require(
      maxKL == nil || options.weights != nil || options.spikes.isUsed,
      "--max-kl judges reduced weights and spikes; say which with --weights or --spiking, or use --tolerance")
    try require(
      maxKL == nil || tolerance == nil || !options.spikes.isUsed,
      "--max-kl and --tolerance: spikes are judged by one of them")
    try require(
      nudge == nil || !options.spikes.isUsed,
      "--nudge shows that the exact check can fail; leave --spiking out")
    try require(
      options.weights == nil || tolerance == nil, "--tolerance does not judge reduced weights; use --max-kl")
    try require(
      options.engine == .graph, "--engine tensor: verify always compares the graph with the tensors")
    try require(
      options.files == StreamFiles(),
      "--state-in, --state-out and --logits do not go with verify, which runs two engines")
  }

  var precision: PrecisionChoice { options.precision }

  func run<Scalar: NetworkScalar>(in _: Scalar.Type) throws {
    let ranks = try options.ranks()
    try require(
      nudge == nil || ranks == nil, "--nudge: not on ranks, which have some neurons each; leave mpirun out")
    let workers = options.workers
    let network = try options.model.load(ranks: ranks, workers: workers)
    let text = try source.tokens(below: network.hyperparameters.vocabulary, ranks: ranks)
    let wanted = Array(text.prefix(tokens ?? .max))
    let interventions = try options.interventions.parsed(options.names(of: network))
    let description = try options.engineDescription(
      of: network, reading: wanted, seed: seed, workers: workers)
    let runnable: RunnableNetwork<Scalar> = try description.network(
      of: network, touchedBy: interventions, fingerprinted: description.spiking != nil, ranks: ranks,
      workers: workers)
    let reference: any WatchableEngine<Scalar> = try network.reference(
      touchedBy: interventions, ranks: ranks, workers: workers)
    let report: VerifyReport
    switch runnable {
    case .circuit(let graph):
      let change = try readNudge(of: graph, on: wanted.count)
      let engine = try CircuitEngine(change?.applied(to: graph) ?? graph, workers: workers, ranks: ranks)
      try interventions.check(on: engine)
      report = try compare(engine, reference, wanted, ranks) {
        interventions.apply(to: engine)
        interventions.apply(to: reference)
      } afterToken: {
        try change?.apply(to: engine, after: $0)
      }
    case .direct(let graph):
      let change = try readNudge(of: graph, on: wanted.count)
      let engine = try DirectEngine(change?.applied(to: graph) ?? graph, workers: workers)
      try interventions.check(on: engine)
      report = try compare(engine, reference, wanted) {
        interventions.apply(to: engine) { Self.touch(reference, $0, $1, through: graph.field) }
      } afterToken: {
        try change?.apply(to: engine, after: $0)
      }
    case .spikingCircuit(let graph, let setup):
      report = try compare(
        SpikingEngine(spiking: graph, setup.options, scales: setup.scales, workers: workers), reference,
        wanted)
    case .spikingDirect(let graph, let setup):
      report = try compare(
        SpikingEngine(spiking: graph, setup.options, scales: setup.scales, workers: workers), reference,
        wanted)
    case .tensors: preconditionFailure("validate() refuses --engine tensor")
    }
    if options.json { try Output.json(report) } else { Output.lines(report.lines) }
    try options.reportInterventions(interventions, on: wanted, network, workers: workers)
    if !report.agree { throw CheckFailed() }
  }

  /// Does to what a direct graph is compared with what was done to one of its plastic weights. In tensors, what changes a weight between
  /// neurons changes ρ = F σ in all hubs.
  private static func touch<Scalar: NetworkScalar>(
    _ reference: any WatchableEngine<Scalar>, _ synapse: LayerSynapse, _ change: Scalar,
    through field: Matrix<Scalar>
  ) {
    guard reference.schedule.form == .circuit else {
      reference.replacePlasticWeight(layer: synapse.layer, of: synapse.synapse) { $0 + change }
      return
    }
    for hub in 0..<field.columns {
      let through = PlasticSynapse(from: hub, to: synapse.synapse.postsynaptic)
      reference.replacePlasticWeight(layer: synapse.layer, of: through) {
        $0 + field[synapse.synapse.presynaptic, hub] * change
      }
    }
  }

  /// A plastic synapse changes after its token; unless another token follows, nothing is compared then.
  private func readNudge<Graph: ParticleGraph>(of _: Graph, on tokens: Int) throws -> Nudge<Graph>? {
    guard let nudge else { return nil }
    let change: Nudge<Graph>
    do { change = try Nudge(nudge) } catch { throw ValidationError("--nudge \(error)") }
    guard let time = change.time, time.token >= tokens - 1 else { return change }
    let remedy = tokens < 2 ? "two tokens at least are needed" : "a TOKEN from 0 to \(tokens - 2) is needed"
    throw ValidationError(
      "--nudge '\(nudge)': nothing is compared after token \(time.token), of \(tokens) counted from 0; \(remedy)"
    )
  }

  private func compare<Graph: SteppingEngine, Tensors: SteppingEngine>(
    _ engine: Graph, _ tensors: Tensors, _ wanted: [Int], _ ranks: Ranks? = nil, beforeToken: () -> Void = {},
    afterToken: (Int) throws -> Void = { _ in }
  ) throws -> VerifyReport where Graph.Scalar == Tensors.Scalar {
    var check = Equivalence(
      graph: engine, tensors: tensors, tolerance: tolerance ?? Equivalence<Graph, Tensors>.standardTolerance,
      among: ranks)
    var progress = Progress("token", total: wanted.count)
    beforeToken()
    try check.run(over: wanted) { done in
      progress.update(done)
      try afterToken(done - 1)
      if done < wanted.count { beforeToken() }
    }
    if let code = options.spikes.spiking, tolerance == nil {
      return VerifyReport(check.report, spiking: code, maxKL: maxKL)
    }
    return VerifyReport(check.report, reducedTo: options.weights, maxKL: maxKL)
  }
}
