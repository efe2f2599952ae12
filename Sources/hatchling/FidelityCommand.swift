import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExecution
import HatchlingEquivalence
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

struct FidelityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fidelity",
    abstract: "What pruning the direct graph costs, at each number of edges.",
    discussion: """
      Reads FILE in segments of the training block, each from an empty state, and compares pruned graphs with the unpruned network: \
      loss with a 95 % bootstrap interval over segments, top-1 agreement, KL divergence, messages. Exit status 1 when the unpruned \
      graph does not reproduce the loss of the tensors to 1e-6. FILE should be text that the model was not trained on; --held-out \
      takes the end of a file.
      """)

  @OptionGroup var model: ModelOptions

  @Argument(help: "The text, or - for standard input.")
  var file: String?

  @Option(help: ArgumentHelp("Numbers of edges, as 1e4,3e4,1e5.", valueName: "a,b,c"))
  var edges: String

  @OptionGroup(title: "Pruned direct graphs") var repairs: RepairOptions

  @Option(
    help: ArgumentHelp(
      "Further curves: plain, or per-neuron, rescale, prune-tokens, excitatory-only, complete, hubs=R joined by +. May be given several times.",
      valueName: "what"))
  var series: [String] = []

  @Option(help: "Tokens per segment: the block the model was trained with.")
  var segment = 128

  @Option(help: "Read about this many tokens, in segments spread evenly over the text.")
  var tokens = 10_240

  @Option(help: "Read only this last fraction of the text.")
  var heldOut: Double?

  @Option(help: "Seed of the bootstrap.")
  var seed: UInt64 = 1

  @Option(help: "Arithmetic and state of the run: float or double.")
  var precision: PrecisionChoice = .float

  @Option(help: "At most this many threads; results do not depend on it. Default: all cores.")
  var threads: Int?

  @Option(help: ArgumentHelp("Write fidelity.csv and a picture into this folder.", valueName: "dir"))
  var out: String?

  @Flag(help: "A JSON object per row instead of the table, and one for the unpruned network.")
  var json = false

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads \(threads): at least one thread is needed")
    }
    guard segment >= 1 else { throw ValidationError("--segment \(segment): at least one token is needed") }
    guard tokens >= 1 else { throw ValidationError("--tokens \(tokens): at least one token is needed") }
    if let heldOut, !(heldOut > 0 && heldOut <= 1) {
      throw ValidationError("--held-out \(heldOut): a fraction above 0 and at most 1 is needed")
    }
    _ = try edgeCounts()
    _ = try allSeries()
  }

  private func edgeCounts() throws -> [Int] {
    try edges.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let count = EdgeCount(argument: $0.trimmingCharacters(in: .whitespaces)) else {
        throw ValidationError("--edges '\(edges)': '\($0)' is not a number of edges; write 1e4,3e4,1e5")
      }
      return count.count
    }
  }

  private func allSeries() throws -> [FidelitySeries] {
    try [FidelitySeries(repairs)] + series.map { try FidelitySeries($0) }
  }

  func run() throws {
    switch precision {
    case .float: try run(Float.self)
    case .double: try run(Double.self)
    }
  }

  private func run<Scalar: NetworkScalar>(_: Scalar.Type) throws {
    let workers = Workers(threads: threads)
    let loaded = try model.load(workers: workers)
    try loaded.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Scalar>.size)
    let streams = try TextSource.streams(
      text: nil, files: file.map { [$0] } ?? [], vocabulary: loaded.hyperparameters.vocabulary)
    let text = heldOut.map { Array(streams[0].tokens.suffix(Int(Double(streams[0].tokens.count) * $0))) }
    let weights = loaded.weights.converted(to: Scalar.self)
    if let out { try OutputPaths.makeFolder(out) }
    let fidelity = try Fidelity(
      weights, tokens: text ?? streams[0].tokens, segment: segment, limit: tokens, workers: workers)
    var report = FidelityReport(
      segments: fidelity.starts.count, segment: segment, tensorLoss: fidelity.referenceLoss)
    if fidelity.scored < 10_000 {
      note("only \(fidelity.scored) tokens are read; intervals are wide below some 10 000")
    }
    try measureUnpruned(fidelity, weights, workers, &report)
    for series in try allSeries() {
      for count in try edgeCounts() { try measure(series, count, fidelity, weights, workers, &report) }
    }
    if let out { try report.write(into: out, modelName: loaded.path) }
    if !json { Output.lines(report.closing) }
    guard report.reproducesTensors else { throw CheckFailed() }
  }

  /// The direct graph with everything kept, or the circuit where that would not fit.
  private func measureUnpruned<Scalar: NetworkScalar>(
    _ fidelity: Fidelity<Scalar>, _ weights: Weights<Scalar>, _ workers: Workers,
    _ report: inout FidelityReport
  ) throws {
    let single = Workers(threads: 1)
    var compiled: DirectGraph<Scalar>?
    do {
      compiled = try DirectFormOptions.compile(DirectOptions(), weights, workers: workers).graph
    } catch is DirectError {
    } catch CompilerError.expansionTooLarge {}
    var measure: Fidelity<Scalar>.Measure
    if let graph = compiled {
      measure = try fidelity.measure(afterSegment: progress("unpruned", fidelity)) {
        try DirectEngine(graph, workers: single)
      }
    } else {
      note("the unpruned direct graph would not fit into half of memory; its row is run as a circuit")
      let graph = try Compiler().circuit(from: weights).graph
      measure = try fidelity.measure(afterSegment: progress("unpruned", fidelity)) {
        try CircuitEngine(graph, workers: single)
      }
    }
    let row = FidelityRow(
      series: compiled == nil ? "unpruned (circuit)" : "unpruned", edges: nil, graph: compiled, measure,
      interval: measure.interval(seed: seed))
    try add(row, &report)
  }

  private func measure<Scalar: NetworkScalar>(
    _ series: FidelitySeries, _ count: Int, _ fidelity: Fidelity<Scalar>, _ weights: Weights<Scalar>,
    _ workers: Workers, _ report: inout FidelityReport
  ) throws {
    let graph = try DirectFormOptions.compile(
      series.options(keeping: count), weights, workers: workers
    ).graph
    let single = Workers(threads: 1)
    let name = "\(series.name), \(grouped(count)) edges"
    let measure = try fidelity.measure(afterSegment: progress(name, fidelity)) {
      try DirectEngine(graph, workers: single)
    }
    let row = FidelityRow(
      series: series.name, edges: count, graph: graph, measure, interval: measure.interval(seed: seed))
    try add(row, &report)
  }

  private func add(_ row: FidelityRow, _ report: inout FidelityReport) throws {
    if !json && report.rows.isEmpty { Output.lines(report.opening) }
    report.rows.append(row)
    if json { try Output.json(row) } else { Output.line(row.line) }
    Output.flush()
  }

  private func progress<Scalar>(_ what: String, _ fidelity: Fidelity<Scalar>) -> @Sendable (Int) -> Void {
    let line = ProgressLine("\(what): segment", total: fidelity.starts.count)
    return { line.update($0) }
  }
}

/// A curve: what is done about what pruning cuts.
struct FidelitySeries {
  let name: String
  private let make: DirectOptions

  init(_ repairs: RepairOptions) {
    make = repairs.options(keeping: 0)
    name = Self.name(make)
  }

  init(_ text: String) throws {
    var options = DirectOptions(kept: .strongest(0))
    for word in text.split(separator: "+", omittingEmptySubsequences: false) {
      switch word {
      case "plain": break
      case "per-neuron": options.kept = .strongestPerNeuron(0)
      case "rescale": options.rescales = true
      case "excitatory-only": options.excitatoryOnly = true
      case "prune-tokens": options.prunesTokens = true
      case "complete": options.plastic = .complete
      default:
        guard word.hasPrefix("hubs="), let hubs = Int(word.dropFirst(5)), hubs > 0 else {
          throw ValidationError(
            "--series '\(text)': '\(word)' is none of plain, per-neuron, rescale, prune-tokens, excitatory-only, complete, hubs=R"
          )
        }
        options.hubs = hubs
      }
    }
    make = options
    name = Self.name(options)
  }

  func options(keeping edges: Int) -> DirectOptions {
    var options = make
    if case .strongestPerNeuron = options.kept {
      options.kept = .strongestPerNeuron(edges)
    } else {
      options.kept = .strongest(edges)
    }
    return options
  }

  private static func name(_ options: DirectOptions) -> String {
    var words: [String] = []
    if case .strongestPerNeuron = options.kept { words.append("per-neuron") }
    if options.rescales { words.append("rescale") }
    if options.prunesTokens { words.append("prune-tokens") }
    if options.excitatoryOnly { words.append("excitatory-only") }
    if options.plastic == .complete { words.append("complete") }
    if options.hubs > 0 { words.append("hubs=\(options.hubs)") }
    return words.isEmpty ? "plain" : words.joined(separator: "+")
  }
}
