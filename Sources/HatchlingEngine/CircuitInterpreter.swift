import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Executes the rounds of Table 1 synapse by synapse, with whatever local rules it is given: plain, slow, and the yardstick of
/// ``CircuitEngine``.
///
/// Every synapse is looked at by itself, excitatory and inhibitory sums are kept apart until they compete, and nothing is laid out,
/// blocked or fused. A rule that is not the Dragon Hatchling's can be tried here first.
public struct CircuitInterpreter<Rules: LocalRules>: Sendable {
  public typealias Scalar = Rules.Scalar

  /// A fixed synapse and the numbers of its ends.
  private struct Wire: Sendable {
    let presynaptic: Int
    let postsynaptic: Int
    let view: SynapseView<Scalar>
  }

  public let graph: CircuitGraph<Scalar>
  public private(set) var position = 0
  public private(set) var logits: [Scalar]
  /// Per layer, per neuron, per hub.
  public private(set) var plasticWeights: [[[Scalar]]]
  /// The last token's quantities, one entry per layer.
  public private(set) var layers: [LayerQuantities<Scalar>] = []

  private let wires: [SynapseKind: [Wire]]
  private let phases: Phases

  /// - Throws: `GraphError` when the graph breaks the specification.
  public init(_ graph: CircuitGraph<Scalar>, rules: Rules.Type = Rules.self) throws(GraphError) {
    try graph.validate()
    self.graph = graph
    var wires: [SynapseKind: [Wire]] = [:]
    graph.forEachSynapse { synapse in
      guard let weight = synapse.weight else { return }
      wires[synapse.kind, default: []].append(
        Wire(
          presynaptic: synapse.presynaptic.index, postsynaptic: synapse.postsynaptic.index,
          view: SynapseView(weight: weight, sign: synapse.sign)))
    }
    self.wires = wires
    phases = Phases(frequencies: graph.neurons.frequencies)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    let row = [Scalar](repeating: 0, count: graph.hubCount)
    plasticWeights = Array(repeating: Array(repeating: row, count: graph.neuronCount), count: graph.layers)
  }

  /// Reads one token and returns what it did. - Throws: `TokenError`.
  @discardableResult
  public mutating func step(_ token: Int) throws -> StepActivity {
    guard (0..<graph.tokenCount).contains(token) else {
      throw TokenError(token: token, vocabulary: graph.tokenCount, position: position)
    }
    var activity = StepActivity(activeX: [], activeY: [])
    layers = []
    var fired = [Scalar](repeating: 0, count: graph.tokenCount)
    fired[token] = 1
    var field = normalise(send(.embedding, fired, to: graph.hubCount, &activity), &activity)
    var x = [Scalar](repeating: 0, count: graph.neuronCount)
    for layer in 0..<graph.layers {
      x = activateX(x, field, &activity)
      let rotated = Rules.rotate(x, of: graph.neurons, phases: phases, at: position)
      let attention = read(layer, rotated, &activity)
      write(layer, field, rotated, &activity)
      let y = activateY(x, attention.map { normalise($0, &activity) }, &activity)
      field = updateField(field, y, &activity)
      var quantities = LayerQuantities<Scalar>()
      (quantities.x, quantities.a, quantities.y, quantities.v) = (x, attention.flatMap { $0 }, y, field)
      layers.append(quantities)
      activity.activeX.append(x.count { $0 > 0 })
      activity.activeY.append(y.count { $0 > 0 })
    }
    logits = send(.readout, field, to: graph.tokenCount, &activity)
    position += 1
    return activity
  }

  /// Every presynaptic particle with a non-zero value sends it over its synapses; every postsynaptic one lets its channels compete.
  private func send(
    _ kind: SynapseKind, _ values: [Scalar], to count: Int, listening: (Int) -> Bool = { _ in true },
    _ activity: inout StepActivity
  ) -> [Scalar] {
    var sums = [Channels<Scalar>](repeating: Channels(), count: count)
    for wire in wires[kind] ?? [] where values[wire.presynaptic] != 0 && listening(wire.postsynaptic) {
      let arrived = Rules.deliver(values[wire.presynaptic], over: wire.view)
      sums[wire.postsynaptic].excitation += arrived.excitation
      sums[wire.postsynaptic].inhibition += arrived.inhibition
      activity.messages += 1
    }
    return sums.map(Rules.compete)
  }

  private func normalise(_ values: [Scalar], _ activity: inout StepActivity) -> [Scalar] {
    guard graph.variant.normalises else { return values }
    activity.broadcasts += 2 * values.count
    let answer = values.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map {
        NormaliserNode.answer(to: $0, count: buffer.count, isCentred: graph.isCentred)
      }
    }
    return answer.map { answer in values.map { Rules.normalise($0, answer) } } ?? values
  }

  /// Round 4l + 3.
  private func activateX(_ previous: [Scalar], _ field: [Scalar], _ activity: inout StepActivity) -> [Scalar]
  {
    let drives = send(.x, field, to: graph.neuronCount, &activity)
    return drives.indices.map {
      Rules.activateX(drive: drives[$0], previous: graph.variant.accumulatesActivity ? previous[$0] : 0)
    }
  }

  /// Round 4l; one sum per head and hub.
  private func read(_ layer: Int, _ rotated: [Scalar], _ activity: inout StepActivity) -> [[Scalar]] {
    graph.neurons.heads.map { head in
      var sums = [Scalar](repeating: 0, count: graph.hubCount)
      for neuron in head where rotated[neuron] != 0 {
        for hub in 0..<graph.hubCount where graph.plastic.contains(HubIndex(hub), NeuronIndex(neuron)) {
          sums[hub] += Rules.read(rotated[neuron], over: plasticWeights[layer][neuron][hub])
          activity.messages += 1
        }
      }
      return sums
    }
  }

  /// Round 4l + 1: Hebb, then damping, on every plastic synapse.
  private mutating func write(
    _ layer: Int, _ field: [Scalar], _ rotated: [Scalar], _ activity: inout StepActivity
  ) {
    for neuron in 0..<graph.neuronCount {
      let keep = Scalar(1 - Double(graph.neurons.damping[neuron]))
      for hub in 0..<graph.hubCount where graph.plastic.contains(HubIndex(hub), NeuronIndex(neuron)) {
        var weight = plasticWeights[layer][neuron][hub]
        if field[hub] != 0 && rotated[neuron] != 0 {
          weight = Rules.reweight(weight, presynaptic: field[hub], postsynaptic: rotated[neuron])
          activity.updates += 1
        }
        plasticWeights[layer][neuron][hub] = Rules.forget(weight, keep: keep)
      }
    }
  }

  /// Round 4l + 2, the neurons: each hears its own head's hubs, if it listens at all.
  private func activateY(_ x: [Scalar], _ heard: [[Scalar]], _ activity: inout StepActivity) -> [Scalar] {
    var y = [Scalar](repeating: 0, count: x.count)
    for (head, neurons) in graph.neurons.heads.enumerated() {
      let drives = send(
        .y, heard[head], to: x.count, listening: { neurons.contains($0) && x[$0] > 0 }, &activity)
      for neuron in neurons where x[neuron] > 0 {
        y[neuron] = Rules.activateY(drive: drives[neuron], x: x[neuron])
      }
    }
    return y
  }

  /// Round 4l + 2, the hubs.
  private func updateField(_ field: [Scalar], _ y: [Scalar], _ activity: inout StepActivity) -> [Scalar] {
    let encoded = normalise(send(.encoder, y, to: graph.hubCount, &activity), &activity)
    guard !graph.variant.accumulatesActivity else { return encoded }
    return normalise(zip(field, encoded).map { $0 + $1 }, &activity)
  }
}
