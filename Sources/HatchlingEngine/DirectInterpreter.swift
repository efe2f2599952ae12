import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Executes the rounds of Table 1 on a direct graph synapse by synapse, with whatever local rules it is given: plain, slow, and the
/// yardstick of ``DirectEngine``.
///
/// Every synapse is looked at by itself, excitatory and inhibitory sums are kept apart until they compete, and nothing is laid out,
/// blocked or fused; damping is applied at every token.
public struct DirectInterpreter<Rules: LocalRules>: Sendable {
  public typealias Scalar = Rules.Scalar

  /// A fixed synapse and the numbers of its ends.
  private struct Wire: Sendable {
    let node: Int
    let neuron: Int
    let view: SynapseView<Scalar>
  }

  public let graph: DirectGraph<Scalar>
  public private(set) var position = 0
  public private(set) var logits: [Scalar]
  /// σ per layer, neuron (postsynaptic) and node (presynaptic); 0 where there is no synapse.
  public private(set) var plasticWeights: [[[Scalar]]]
  /// The last token's quantities, one entry per layer.
  public private(set) var layers: [LayerQuantities<Scalar>] = []

  private let wiresX: [Wire]
  private let wiresY: [Wire]
  private let phases: Phases

  /// - Throws: `GraphError` when the graph breaks the specification.
  public init(_ graph: DirectGraph<Scalar>, rules: Rules.Type = Rules.self) throws(GraphError) {
    try graph.validate()
    self.graph = graph
    func wires(_ kinds: [DirectSynapseKind]) -> [Wire] {
      var result: [Wire] = []
      for kind in kinds {
        graph.forEachSynapse(of: kind) { synapse in
          guard let node = graph.node(synapse.presynaptic), let weight = synapse.weight else { return }
          result.append(
            Wire(
              node: node, neuron: synapse.postsynaptic.index,
              view: SynapseView(weight: weight, sign: synapse.sign)))
        }
      }
      return result
    }
    wiresX = wires([.x, .tokenX])
    wiresY = wires([.y, .tokenY])
    phases = Phases(frequencies: graph.neurons.frequencies)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    let row = [Scalar](repeating: 0, count: graph.nodeCount)
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
    var trace = [Scalar](repeating: 0, count: graph.nodeCount)
    trace[graph.neuronCount + token] = 1
    trace = normalise(trace, trace, &activity)
    var x = [Scalar](repeating: 0, count: graph.neuronCount)
    for layer in 0..<graph.layers {
      x = activateX(x, trace, &activity)
      let rotated = Rules.rotate(x, of: graph.neurons, phases: phases, at: position)
      let attention = read(layer, rotated, &activity)
      write(layer, trace, rotated, &activity)
      let y = activateY(x, attention, &activity)
      var quantities = LayerQuantities<Scalar>()
      (quantities.x, quantities.y) = (x, y)
      quantities.a = attention.flatMap(throughHubs)
      trace = newTrace(trace, y, &activity)
      quantities.v = throughHubs(trace)
      layers.append(quantities)
      activity.activeX.append(x.count { $0 > 0 })
      activity.activeY.append(y.count { $0 > 0 })
    }
    readOut(trace, &activity)
    position += 1
    return activity
  }

  /// F times the values of all nodes, `(d)`.
  private func throughHubs(_ values: [Scalar]) -> [Scalar] {
    var hubs = [Scalar](repeating: 0, count: graph.hubCount)
    for (node, value) in values.enumerated() where value != 0 {
      for hub in hubs.indices { hubs[hub] += value * graph.field[node, hub] }
    }
    return hubs
  }

  /// `values` times the gain of `measured`. F of both travels through the hubs; a residual's is there already.
  private func normalise(
    _ values: [Scalar], _ measured: [Scalar], sends: Bool = true, _ activity: inout StepActivity
  ) -> [Scalar] {
    guard graph.variant.normalises else { return values }
    activity.broadcasts += 1 + (sends ? graph.hubCount * measured.count { $0 != 0 } : 0)
    let hubs = throughHubs(measured)
    let answer = hubs.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { NormaliserNode.answer(to: $0, count: buffer.count, isCentred: true) }
    }
    return answer.map { answer in values.map { Rules.normalise($0, answer) } } ?? values
  }

  /// Every node with a value sends it over its synapses to the neurons that listen; there its channels compete.
  private func send(
    _ wires: [Wire], _ remainder: HubRemainder<Scalar>?, _ values: [Scalar], listening: (Int) -> Bool,
    _ activity: inout StepActivity
  ) -> [Scalar] {
    var sums = [Channels<Scalar>](repeating: Channels(), count: graph.neuronCount)
    for wire in wires where values[wire.node] != 0 && listening(wire.neuron) {
      let arrived = Rules.deliver(values[wire.node], over: wire.view)
      sums[wire.neuron].excitation += arrived.excitation
      sums[wire.neuron].inhibition += arrived.inhibition
      activity.messages += 1
    }
    var drives = sums.map(Rules.compete)
    guard let remainder else { return drives }
    for hub in 0..<remainder.hubs {
      var value: Scalar = 0
      for node in values.indices where values[node] != 0 {
        value += values[node] * remainder.encoder[node, hub]
      }
      for neuron in drives.indices where value != 0 && listening(neuron) {
        drives[neuron] += value * remainder.decoder[neuron, hub]
        activity.messages += 1
      }
    }
    return drives
  }

  /// Round 4l + 3.
  private func activateX(_ previous: [Scalar], _ trace: [Scalar], _ activity: inout StepActivity) -> [Scalar]
  {
    activity.messages += (graph.remainderX?.hubs ?? 0) * trace.count { $0 != 0 }
    let drives = send(wiresX, graph.remainderX, trace, listening: { _ in true }, &activity)
    return drives.indices.map {
      Rules.activateX(drive: drives[$0], previous: graph.variant.accumulatesActivity ? previous[$0] : 0)
    }
  }

  /// Round 4l; one sum per head and node.
  private func read(_ layer: Int, _ rotated: [Scalar], _ activity: inout StepActivity) -> [[Scalar]] {
    graph.neurons.heads.map { head in
      var sums = [Scalar](repeating: 0, count: graph.nodeCount)
      for neuron in head where rotated[neuron] != 0 {
        for node in sums.indices where graph.plastic.contains(node, NeuronIndex(neuron)) {
          sums[node] += Rules.read(rotated[neuron], over: plasticWeights[layer][neuron][node])
          activity.messages += 1
        }
      }
      return sums
    }
  }

  /// Round 4l + 1: Hebb, then damping, on every plastic synapse.
  private mutating func write(
    _ layer: Int, _ trace: [Scalar], _ rotated: [Scalar], _ activity: inout StepActivity
  ) {
    for neuron in rotated.indices {
      let keep = Scalar(1 - Double(graph.neurons.damping[neuron]))
      for node in trace.indices where graph.plastic.contains(node, NeuronIndex(neuron)) {
        var weight = plasticWeights[layer][neuron][node]
        if trace[node] != 0 && rotated[neuron] != 0 {
          weight = Rules.reweight(weight, presynaptic: trace[node], postsynaptic: rotated[neuron])
          activity.updates += 1
        }
        plasticWeights[layer][neuron][node] = Rules.forget(weight, keep: keep)
      }
    }
  }

  /// Round 4l + 2: each neuron hears its own head's attention, if it listens at all.
  private func activateY(
    _ x: [Scalar], _ attention: [[Scalar]], _ activity: inout StepActivity
  ) -> [Scalar] {
    var y = [Scalar](repeating: 0, count: x.count)
    for (head, neurons) in graph.neurons.heads.enumerated() {
      activity.messages += (graph.remainderY?.hubs ?? 0) * attention[head].count { $0 != 0 }
      let listens: (Int) -> Bool = { neurons.contains($0) && x[$0] > 0 }
      let drives = send(wiresY, graph.remainderY, attention[head], listening: listens, &activity)
      let normalised = normalise(drives, attention[head], &activity)
      for neuron in neurons where x[neuron] > 0 {
        y[neuron] = Rules.activateY(drive: normalised[neuron], x: x[neuron])
      }
    }
    return y
  }

  /// Round 4l + 2: z ← (z + Y/g(Y)) / g(…), or Y/g(Y).
  private func newTrace(_ trace: [Scalar], _ y: [Scalar], _ activity: inout StepActivity) -> [Scalar] {
    let sent = y + [Scalar](repeating: 0, count: graph.tokenCount)
    let update = normalise(sent, sent, &activity)
    guard !graph.variant.accumulatesActivity else { return update }
    let sum = zip(trace, update).map { $0 + $1 }
    return normalise(sum, sum, sends: false, &activity)
  }

  private mutating func readOut(_ trace: [Scalar], _ activity: inout StepActivity) {
    let hubs = throughHubs(trace)
    logits = (0..<graph.tokenCount).map { token in
      hubs.indices.reduce(0) { $0 + hubs[$1] * graph.readout[$1, token] }
    }
    activity.broadcasts += graph.hubCount * graph.tokenCount
  }
}
