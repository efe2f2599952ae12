import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Sizes of a model and of its graphs, and what this machine computes with.
public struct ModelReport: Encodable {
  private let model: Model
  private let graph: CircuitGraph<Float>
  private let machine = Machine.current
  /// Plastic weights σ of the direct form, of all layers, at most.
  private let directStateSize: Int

  /// - Throws: `CompilerError`. Cost: compiles the circuit.
  public init(_ model: Model, workers: Workers) throws {
    self.model = model
    graph = try Compiler().circuit(from: model.weights, workers: workers).graph
    directStateSize = DirectError.stateBytes(model.hyperparameters, plasticSynapses: nil, bytesPerWeight: 1)
  }

  private var sizes: Hyperparameters { model.hyperparameters }
  /// Nodes of the direct form, and entries of each of G_x and G_y.
  private var directNodes: Int { sizes.neurons + sizes.vocabulary }
  private var directSynapses: Int { sizes.neurons * directNodes }

  public func encode(to encoder: any Encoder) throws {
    let kinds = CircuitGraph<Float>.kinds.map { ($0.rawValue, graph.count(of: $0)) }
    let object: JSONObject = [
      "path": model.path, "prefix": model.prefix, "n": sizes.neurons, "d": sizes.synapticDimension,
      "h": sizes.heads, "l": sizes.layers, "v": sizes.vocabulary, "variant": sizes.variant.rawValue,
      "rotates": graph.neurons.rotates, "damped": graph.neurons.isDamped, "parameters": sizes.parameters,
      "neurons": graph.neuronCount, "hubs": graph.hubCount, "tokens": graph.tokenCount,
      "normalisers": graph.normalisers.count, "synapses": Dictionary(uniqueKeysWithValues: kinds),
      "state_size": sizes.stateSize, "state_bytes_float": sizes.stateSize * 4,
      "direct": [
        "nodes": directNodes, "synapses": directSynapses, "state_size": directStateSize,
        "state_bytes_float": directStateSize * 4,
      ] as JSONObject,
      "fingerprint": model.fingerprint, "metadata": model.metadata, "machine": machine,
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let neurons = graph.neurons
    var lines = [
      "model         \(model.path)\(model.prefix.isEmpty ? "" : ", prefix \(model.prefix)")",
      "sizes         n \(grouped(sizes.neurons)) neurons, d \(sizes.synapticDimension), H \(sizes.heads) heads, L \(sizes.layers) layers, V \(sizes.vocabulary) tokens",
      "rule          \(sizes.variant.rawValue), \(neurons.rotates ? "rotating pairs (RoPE)" : "no rotation"), \(neurons.isDamped ? "damped" : "undamped")",
      "parameters    \(grouped(sizes.parameters))",
      "particles     \(grouped(graph.neuronCount)) neurons, \(graph.hubCount) hubs, \(graph.tokenCount) token neurons, \(graph.normalisers.count) normalisers",
    ]
    for kind in CircuitGraph<Float>.kinds {
      let name = kind == .embedding ? "synapses      " : "              "
      let times = kind == .plastic ? " in each of \(sizes.layers) layers" : ""
      lines.append(
        "\(name)\(padded(kind.rawValue, 10, right: false))\(padded(grouped(graph.count(of: kind)), 12))\(times)"
      )
    }
    lines += [
      "state         \(grouped(sizes.stateSize)) plastic weights, \(grouped(sizes.stateSize * 4 / 1024)) KiB in float",
      "direct form   \(grouped(directNodes)) nodes, \(grouped(directSynapses)) synapses in each of G_x and G_y, at most \(grouped(directStateSize)) plastic weights (\(grouped((directStateSize * 4) >> 20)) MiB in float)",
      "fingerprint   \(model.fingerprint)",
    ]
    for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
      lines.append("metadata      \(key): \(value)")
    }
    return lines + machine.lines
  }
}

extension Machine {
  /// What it computes with, as a person reads it.
  var lines: [String] {
    let choice =
      switch blas.chosenBy {
      case .openBLAS: "OpenBLAS's own choice"
      case .coreType, .forced: "by \(blas.chosenBy.rawValue)"
      case .features: "OpenBLAS by itself chose \(blas.found)"
      }
    return [
      "processor     \(processor)",
      "BLAS          \(blas.library), core \(blas.name) (\(choice))",
      "kernels       \(kernels)",
      "threads       \(processors)",
    ] + advice.map { "could be better: \($0)" }
  }
}

/// What a saved state is.
public struct StateReport: Encodable {
  private let state: SavedState
  /// Frobenius norm of every array of numbers.
  private let norms: [String: Double]

  public init(_ state: SavedState) {
    self.state = state
    func norm<Scalar: NetworkScalar>(_ matrix: Matrix<Scalar>) -> Double {
      (0..<matrix.count).reduce(0.0) { $0 + Double(matrix.pointer[$1]) * Double(matrix.pointer[$1]) }
        .squareRoot()
    }
    norms = state.arrays.compactMapValues {
      switch $0 {
      case .float(let matrix): norm(matrix)
      case .double(let matrix): norm(matrix)
      case .int: nil
      }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    let identity = state.identity
    let object: JSONObject = [
      "position": state.position, "model": identity.model, "engine": identity.engine, "form": identity.form,
      "precision": identity.precision, "variant": identity.variant.rawValue, "options": identity.options,
      "norms": norms,
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let identity = state.identity
    let options = identity.options.isEmpty ? "" : ", \(identity.options)"
    return [
      "position   \(grouped(state.position)) tokens read", "model      \(identity.model)",
      "engine     \(identity.engine), form \(identity.form), \(identity.precision), \(identity.variant.rawValue)\(options)",
    ]
      + norms.sorted { $0.key < $1.key }.map {
        "norm       \(padded($0.key, 14, right: false))\(decimal($0.value, 4))"
      }
  }
}
