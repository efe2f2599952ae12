import ArgumentParser
import Foundation
import HatchlingCompiler
import HatchlingEngine
import HatchlingEquivalence
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Steps graph and tensors over the same tokens and compares them quantity by quantity.",
    discussion: """
      Exit status 0 when all quantities agree within the tolerance, 1 when not. With --weights the graph computes from reduced \
      weights, the tensors from float32, and the predictions are judged: by --max-kl.
      --nudge KIND:PRE:POST:FACTOR multiplies one compiled synapse first, to show that the check can fail: x:h3:n12:1.1, \
      y:h3:n12:1.1, encoder:n12:h3:1.1, embedding:t65:h3:1.1, readout:h3:o65:1.1; plastic:h3:n12:1.1:TOKEN:LAYER multiplies the \
      Hebbian weight after that token. With --form direct synapses start at neurons or tokens: x:n3:n12:1.1, y:t65:n12:1.1, \
      plastic:n3:n12:1.1:TOKEN:LAYER.
      """)

  @OptionGroup var options: SteppingOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String?

  @Option(help: "The text itself, instead of FILE.")
  var text: String?

  @Option(help: "Compare only the first N tokens.")
  var tokens: Int?

  @Option(help: "Largest relative difference. Default: 1e-4 in float, 1e-10 in double.")
  var tolerance: Double?

  @Option(
    name: .customLong("max-kl"),
    help: "With --weights: largest mean KL divergence in nats. Default: 1e-2 for bf16, 5e-2 for int8.")
  var maxKL: Double?

  @Option(help: ArgumentHelp("Multiply one synapse of the graph first.", valueName: "kind:pre:post:factor"))
  var nudge: String?

  func validate() throws {
    if let tokens, tokens < 1 { throw ValidationError("--tokens \(tokens): at least one token is needed") }
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance \(tolerance): 0 or a positive number is needed")
    }
    if let maxKL {
      guard maxKL >= 0 && maxKL.isFinite else {
        throw ValidationError("--max-kl \(maxKL): 0 or a positive number is needed")
      }
      guard options.weights != nil else {
        throw ValidationError("--max-kl judges reduced weights; say which with --weights, or use --tolerance")
      }
    }
    if options.weights != nil, tolerance != nil {
      throw ValidationError("--tolerance does not judge reduced weights; use --max-kl")
    }
    if options.engine == .tensor {
      throw ValidationError("--engine tensor: verify always compares the graph with the tensors")
    }
    if options.stateIn != nil || options.stateOut != nil || options.logits != nil {
      throw ValidationError(
        "--state-in, --state-out and --logits do not go with verify, which runs two engines")
    }
  }

  func run() throws {
    switch options.precision {
    case .float: try run(Float.self)
    case .double: try run(Double.self)
    }
  }

  private func run<Scalar: NetworkScalar>(_: Scalar.Type) throws {
    let workers = options.workers
    let model = try options.model.load(workers: workers)
    let streams = try TextSource.streams(
      text: text, files: file.map { [$0] } ?? [], vocabulary: model.hyperparameters.vocabulary)
    let wanted = Array(streams[0].tokens.prefix(tokens ?? .max))
    try model.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    let weights = model.weights.converted(to: Scalar.self)
    let tensors = TensorEngine(weights, workers: workers)
    switch options.form {
    case .circuit:
      let change = try readNudge(as: CircuitGraph<Scalar>.self)
      try checkNudge(at: change?.time, of: wanted.count)
      var graph = options.reduced(try Compiler().circuit(from: weights).graph)
      try change?.apply(to: &graph)
      let engine = try CircuitEngine(graph, workers: workers)
      try compare(engine, tensors, wanted) { try change?.apply(to: engine, after: $0) }
    case .direct:
      let change = try readNudge(as: DirectGraph<Scalar>.self)
      try checkNudge(at: change?.time, of: wanted.count)
      var graph = try options.direct.compile(weights, workers: workers).graph
      try change?.apply(to: &graph)
      let engine = try DirectEngine(graph, workers: workers)
      try compare(engine, tensors, wanted) { try change?.apply(to: engine, after: $0) }
    }
  }

  private func readNudge<Graph: ParticleGraph>(as: Graph.Type) throws -> Nudge<Graph>? {
    do { return try nudge.map { try Nudge($0) } } catch { throw OptionError.bad("--nudge \(error)") }
  }

  /// A plastic synapse changes after its token; unless another token follows, nothing is compared then.
  private func checkNudge(at time: (token: Int, layer: Int)?, of tokens: Int) throws {
    guard let time, time.token >= tokens - 1 else { return }
    let remedy = tokens < 2 ? "two tokens at least are needed" : "a TOKEN from 0 to \(tokens - 2) is needed"
    throw OptionError.bad(
      "--nudge '\(nudge ?? "")': nothing is compared after token \(time.token), of \(tokens) counted from 0; \(remedy)"
    )
  }

  private func compare<Graph: SteppingEngine>(
    _ engine: Graph, _ tensors: TensorEngine<Graph.Scalar>, _ wanted: [Int],
    afterToken: (Int) throws -> Void
  ) throws {
    var check = Equivalence(
      graph: engine, tensors: tensors,
      tolerance: tolerance ?? Equivalence<Graph, TensorEngine<Graph.Scalar>>.standardTolerance)
    var progress = Progress("token", total: wanted.count)
    try check.run(over: wanted) { done in
      progress.update(done)
      try afterToken(done - 1)
    }
    if let format = options.weights {
      let report = ReductionReport(
        check.report, format, maxKL: maxKL ?? ReductionReport.standardMaxKL(format))
      if options.json { try Output.json(report) } else { Output.lines(report.lines) }
      if !report.agree { throw CheckFailed() }
      return
    }
    let report = VerifyReport(check.report)
    if options.json { try Output.json(report) } else { Output.lines(report.lines) }
    if !check.report.agree { throw CheckFailed() }
  }
}

/// The report of `verify`, as a table and as JSON.
struct VerifyReport: Encodable {
  struct Difference: Encodable {
    let name: String
    let maxAbsolute: Double?
    let maxRelative: Double?

    /// Numbers that are not finite must be there, as null.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(maxAbsolute, forKey: .maxAbsolute)
      try container.encode(maxRelative, forKey: .maxRelative)
    }

    private enum CodingKeys: String, CodingKey { case name, maxAbsolute, maxRelative }
  }
  struct Place: Encodable {
    let token: Int
    let layer: Int
    let round: Int
    let quantity: String
    let index: Int
  }

  let tokens: Int
  let agree: Bool
  let tolerance: Double
  let quantities: [Difference]
  let firstDivergence: Place?
  let top1Agreement: Double
  let meanKL: Double?
  let lossTensor: Double?
  let lossGraph: Double?

  init(_ report: EquivalenceReport) {
    tokens = report.tokens
    agree = report.agree
    tolerance = report.tolerance
    quantities = report.differences.map {
      Difference(
        name: $0.quantity.rawValue, maxAbsolute: finite($0.maxAbsolute), maxRelative: finite($0.maxRelative)
      )
    }
    firstDivergence = report.firstDivergence.map {
      Place(
        token: $0.token, layer: $0.layer, round: $0.round, quantity: $0.quantity.rawValue, index: $0.index)
    }
    top1Agreement = report.top1Agreement
    meanKL = finite(report.meanKL)
    lossTensor = finite(report.lossTensor)
    lossGraph = finite(report.lossGraph)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tokens, forKey: .tokens)
    try container.encode(agree, forKey: .agree)
    try container.encode(tolerance, forKey: .tolerance)
    try container.encode(quantities, forKey: .quantities)
    try container.encode(firstDivergence, forKey: .firstDivergence)
    try container.encode(top1Agreement, forKey: .top1Agreement)
    try container.encode(meanKL, forKey: .meanKL)
    try container.encode(lossTensor, forKey: .lossTensor)
    try container.encode(lossGraph, forKey: .lossGraph)
  }

  private enum CodingKeys: String, CodingKey {
    case tokens, agree, tolerance, quantities, firstDivergence, top1Agreement, meanKL, lossTensor,
      lossGraph
  }

  var lines: [String] {
    var lines = ["quantity   max absolute   max relative"]
    for difference in quantities {
      lines.append(
        padded(difference.name, 8, right: false) + padded(scientific(difference.maxAbsolute), 15)
          + padded(scientific(difference.maxRelative), 15))
    }
    lines.append(
      "same next token after \(decimal(top1Agreement * 100, 2)) % of \(grouped(tokens)) tokens, mean KL \(scientific(meanKL)) nats"
    )
    lines.append(
      "loss: tensors \(decimal(lossTensor ?? .nan, 6)), graph \(decimal(lossGraph ?? .nan, 6)) nats")
    if let place = firstDivergence {
      lines.append(
        "PART at token \(place.token), layer \(place.layer), round \(place.round): \(place.quantity)[\(place.index)] beyond \(scientific(tolerance))"
      )
    } else {
      lines.append(agree ? "AGREE within \(scientific(tolerance))" : "NOT EVERYTHING WAS COMPARED")
    }
    return lines
  }
}
