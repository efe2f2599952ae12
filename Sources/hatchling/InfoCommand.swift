import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingCompiler
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

  @Option(help: "With --rounds: circuit (through hubs) or direct (neuron to neuron).")
  var form: FormChoice = .circuit

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    if form == .direct, !rounds { throw ValidationError("--form direct goes with --rounds") }
    if rounds, state != nil { throw ValidationError("--rounds are a model's; leave --state out") }
  }

  func run() throws {
    if let state { return try describe(try StateFile.read(state)) }
    if rounds { return try describeRounds(of: try options.load().hyperparameters) }
    let workers = Workers()
    let model = try options.load(workers: workers)
    let graph = try Compiler().circuit(from: model.weights, workers: workers).graph
    let info = ModelInfo(model, graph)
    if json { try Output.json(info) } else { Output.lines(info.lines.map(\.escaped)) }
  }

  private func describeRounds(of sizes: Hyperparameters) throws {
    let schedule =
      form == .circuit
      ? Schedule.circuit(layers: sizes.layers, variant: sizes.variant)
      : Schedule.direct(layers: sizes.layers, variant: sizes.variant)
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

  private func describe(_ saved: SavedState) throws {
    let info = StateInfo(saved)
    if json { try Output.json(info) } else { Output.lines(info.lines.map(\.escaped)) }
  }
}

struct ModelInfo: Encodable {
  let path: String
  let prefix: String
  let n: Int
  let d: Int
  let h: Int
  let l: Int
  let v: Int
  let variant: String
  let rotates: Bool
  let damped: Bool
  let parameters: Int
  let neurons: Int
  let hubs: Int
  let tokens: Int
  let normalisers: Int
  let synapses: [String: Int]
  let stateSize: Int
  let stateBytesFloat: Int
  /// The direct form, unpruned.
  let direct: DirectSizes
  let fingerprint: String
  let metadata: [String: String]
  let machine = Machine.current

  init(_ model: Model, _ graph: CircuitGraph<Float>) {
    let sizes = model.hyperparameters
    (path, prefix) = (model.path, model.prefix)
    (n, d, h, l, v) = (sizes.neurons, sizes.synapticDimension, sizes.heads, sizes.layers, sizes.vocabulary)
    variant = sizes.variant.rawValue
    rotates = graph.neurons.rotates
    damped = graph.neurons.isDamped
    parameters = sizes.parameters
    neurons = graph.neuronCount
    hubs = graph.hubCount
    tokens = graph.tokenCount
    normalisers = graph.normalisers.count
    synapses = Dictionary(
      uniqueKeysWithValues: CircuitGraph<Float>.kinds.map { ($0.rawValue, graph.count(of: $0)) })
    stateSize = sizes.stateSize
    stateBytesFloat = sizes.stateSize * 4
    direct = DirectSizes(sizes)
    fingerprint = model.fingerprint
    metadata = model.metadata
  }

  var lines: [String] {
    var lines = [
      "model         \(path)\(prefix.isEmpty ? "" : ", prefix \(prefix)")",
      "sizes         n \(grouped(n)) neurons, d \(d), H \(h) heads, L \(l) layers, V \(v) tokens",
      "rule          \(variant), \(rotates ? "rotating pairs (RoPE)" : "no rotation"), \(damped ? "damped" : "undamped")",
      "parameters    \(grouped(parameters))",
      "particles     \(grouped(neurons)) neurons, \(hubs) hubs, \(tokens) token neurons, \(normalisers) normalisers",
    ]
    for kind in CircuitGraph<Float>.kinds {
      let name = kind == .embedding ? "synapses      " : "              "
      let times = kind == .plastic ? " in each of \(l) layers" : ""
      lines.append(
        "\(name)\(padded(kind.rawValue, 10, right: false))\(padded(grouped(synapses[kind.rawValue] ?? 0), 12))\(times)"
      )
    }
    lines.append(
      "state         \(grouped(stateSize)) plastic weights, \(grouped(stateBytesFloat / 1024)) KiB in float"
    )
    lines += direct.lines
    lines.append("fingerprint   \(fingerprint)")
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      lines.append("metadata      \(key): \(value)")
    }
    return lines + machineLines
  }

  private var machineLines: [String] {
    let blas = machine.blas
    let choice =
      switch blas.chosenBy {
      case .openBLAS: "OpenBLAS's own choice"
      case .coreType, .forced: "by \(blas.chosenBy.rawValue)"
      case .features: "OpenBLAS by itself chose \(blas.found)"
      }
    return [
      "processor     \(machine.processor)",
      "BLAS          \(blas.library), core \(blas.name) (\(choice))",
      "kernels       \(machine.kernels)",
      "threads       \(machine.processors)",
    ] + machine.advice.map { "could be better: \($0)" }
  }
}

/// What the direct form of a network takes when nothing is pruned.
struct DirectSizes: Encodable {
  /// Neurons and tokens.
  let nodes: Int
  /// Entries of G_x, and of G_y.
  let synapses: Int
  /// Plastic weights σ of all layers, at most.
  let stateSize: Int
  let stateBytesFloat: Int

  init(_ sizes: Hyperparameters) {
    nodes = sizes.neurons + sizes.vocabulary
    synapses = sizes.neurons * nodes
    stateSize = DirectError.stateBytes(sizes, plasticSynapses: nil, bytesPerWeight: 1)
    stateBytesFloat = stateSize * 4
  }

  var lines: [String] {
    [
      "direct form   \(grouped(nodes)) nodes, \(grouped(synapses)) synapses in each of G_x and G_y, at most \(grouped(stateSize)) plastic weights (\(grouped(stateBytesFloat >> 20)) MiB in float)"
    ]
  }
}

struct StateInfo: Encodable {
  let position: Int
  let model: String
  let engine: String
  let form: String
  let precision: String
  let variant: String
  let options: String
  /// Frobenius norm of every array of numbers.
  let norms: [String: Double]

  init(_ state: SavedState) {
    position = state.position
    model = state.identity.model
    engine = state.identity.engine
    form = state.identity.form
    precision = state.identity.precision
    variant = state.identity.variant.rawValue
    options = state.identity.options
    func norm<Scalar: NetworkScalar>(_ matrix: Matrix<Scalar>) -> Double {
      var squares = 0.0
      for index in 0..<matrix.count {
        squares += Double(matrix.pointer[index]) * Double(matrix.pointer[index])
      }
      return squares.squareRoot()
    }
    norms = state.arrays.compactMapValues {
      switch $0 {
      case .float(let matrix): norm(matrix)
      case .double(let matrix): norm(matrix)
      case .int: nil
      }
    }
  }

  var lines: [String] {
    [
      "position   \(grouped(position)) tokens read", "model      \(model)",
      "engine     \(engine), form \(form), \(precision), \(variant)\(options.isEmpty ? "" : ", \(options)")",
    ]
      + norms.sorted { $0.key < $1.key }.map {
        "norm       \(padded($0.key, 14, right: false))\(decimal($0.value, 4))"
      }
  }
}
