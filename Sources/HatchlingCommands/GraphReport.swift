import HatchlingCheckpoint
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Sizes of a neuron graph in a file, where it came from, and what this machine computes with.
public struct GraphReport: Encodable {
  private let file: GraphFile
  private let machine = Machine.current

  public init(_ file: GraphFile) { self.file = file }

  private var graph: DirectGraph<Float> { file.graph }
  private var sizes: Hyperparameters { graph.hyperparameters }

  /// G_x, G_y, F and W_out, or R and κ.
  private var weights: Int {
    graph.drivesX.count + graph.drivesY.count + graph.field.count + graph.readout.count
      + (graph.localGains?.count ?? 0)
  }

  private var plasticSynapses: Int {
    graph.plastic.count(neurons: graph.neuronCount, in: 0..<graph.nodeCount)
  }

  /// σ of all layers, at most.
  private var stateSize: Int {
    let listed: Int? = if case .lists(let lists) = graph.plastic { lists.count } else { nil }
    return DirectError.stateBytes(sizes, plasticSynapses: listed, bytesPerWeight: 1)
  }

  private var plasticSpelling: String {
    guard case .lists(let lists) = graph.plastic else { return "complete" }
    return lists.count == graph.drivesX.count ? "those of G_x" : "lists of their own"
  }

  /// The least, mean and largest damping; nil without any.
  private var damping: (least: Float, mean: Float, most: Float)? {
    let values = graph.neurons.damping
    guard graph.neurons.isDamped, let least = values.min(), let most = values.max() else { return nil }
    return (least, values.reduce(0, +) / Float(values.count), most)
  }

  public func encode(to encoder: any Encoder) throws {
    let object: JSONObject = [
      "path": file.path, "kind": "graph", "n": sizes.neurons, "d": sizes.synapticDimension, "h": sizes.heads,
      "l": sizes.layers, "v": sizes.vocabulary, "variant": sizes.variant.rawValue,
      "rotates": graph.neurons.rotates, "damped": graph.neurons.isDamped,
      "damping": damping.map { ["least": $0.least, "mean": $0.mean, "most": $0.most] as JSONObject },
      "parameters": weights, "weights_type": file.weightType.rawValue, "neurons": graph.neuronCount,
      "hubs": graph.hubCount, "gains": (graph.hasHubs ? Gains.hubs : .local).rawValue,
      "local_gains": graph.localGains, "tokens": graph.tokenCount,
      "synapses": Dictionary(
        uniqueKeysWithValues: DirectGraph<Float>.kinds.map { ($0.rawValue, graph.count(of: $0)) }),
      "plastic": plasticSpelling, "compilation": graph.compilation, "state_size": stateSize,
      "state_bytes_float": stateSize * 4, "fingerprint": graph.fingerprint, "metadata": file.metadata,
      "machine": machine,
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let neurons = graph.neurons
    let possible = Double(graph.neuronCount * graph.neuronCount)
    func row(_ name: String, _ kind: SynapseKind, _ tokens: SynapseKind) -> String {
      let count = graph.count(of: kind)
      let share = decimal(100 * Double(count) / possible, 2)
      return
        "\(padded(name, 24, right: false))\(grouped(count)) from neurons (\(share) % of all), \(grouped(graph.count(of: tokens))) from tokens"
    }
    let damped =
      damping.map {
        "damped by \(decimal(Double($0.least))) … \(decimal(Double($0.most))), mean \(decimal(Double($0.mean)))"
      }
      ?? "undamped"
    let hubs =
      graph.hasHubs
      ? "d \(sizes.synapticDimension) hubs for gains and readout"
      : sizes.variant.normalises ? "no hubs, local gains" : "no hubs"
    var lines = [
      "graph         \(file.path)",
      "sizes         n \(grouped(sizes.neurons)) neurons, H \(sizes.heads) heads, L \(sizes.layers) layers, V \(sizes.vocabulary) tokens; \(hubs)",
      "rule          \(sizes.variant.rawValue), \(neurons.rotates ? "rotating pairs (RoPE)" : "no rotation"), \(damped)",
      row("synapses      x", .x, .tokenX), row("              y", .y, .tokenY),
      row("              plastic", .plastic, .tokenPlastic)
        + " in each of \(sizes.layers) layers: \(plasticSpelling)",
      "weights       \(grouped(weights)), of synapses in \(file.weightType.rawValue)",
      "state         at most \(grouped(stateSize)) plastic weights, \(grouped(stateSize * 4 / 1024)) KiB in float",
    ]
    if !graph.compilation.isEmpty { lines.append("pruned        \(graph.compilation)") }
    lines.append("fingerprint   \(graph.fingerprint)")
    for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) {
      lines.append("metadata      \(key): \(value)")
    }
    return lines + machine.lines
  }
}
