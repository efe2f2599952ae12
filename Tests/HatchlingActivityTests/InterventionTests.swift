import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingActivity

/// What is cut, set or silenced is so on every engine alike, and changes what it should.
@Suite struct InterventionTests {
  private func interventions(_ names: ParticleNames) throws -> Interventions {
    let source = names.form == .circuit ? "h" : "n"
    var all = Interventions()
    all.cuts = [try names.synapse("1:\(source)3:n12"), try names.synapse("3:\(source)5:n40")]
    all.silenced = [7, 50]
    all.settings = [try Interventions.setting("2:\(source)1:n20=0.75@9", names)]
    return all
  }

  @Test(arguments: NetworkCase.all.filter { $0.form.hasPrefix("circuit") || $0.form == "direct" })
  func allEnginesAgreeWithTheTensors(on item: NetworkCase) throws {
    let names = ParticleNames(of: try item.engine(Double.self))
    let change = try interventions(names)
    let weights = change.silencing(item.weights(Double.self))
    let (tensors, untouched) = (TensorEngine(weights), try item.engine(Double.self))
    let compiler = Compiler()
    var field: Matrix<Double>?
    let engine: any WatchableEngine<Double>
    if item.form == "direct" {
      let graph = try compiler.direct(from: weights, options: DirectOptions()).graph
      field = graph.field
      engine = try DirectEngine(graph)
    } else {
      let isDeferred = item.form == "circuit deferred"
      engine = try CircuitEngine(
        compiler.circuit(from: weights).graph,
        options: CircuitEngineOptions(screens: isDeferred, defersWrites: isDeferred))
    }
    var (largest, compared) = (0.0, 0)
    for token in NetworkCase.tokens {
      change.apply(to: engine) { synapse, difference in
        guard let field else { return }
        for hub in 0..<field.columns {
          tensors.replacePlasticWeight(
            layer: synapse.layer, of: PlasticSynapse(from: hub, to: synapse.synapse.postsynaptic)
          ) { $0 + field[synapse.synapse.presynaptic, hub] * difference }
        }
      }
      if field == nil { change.apply(to: tensors) }
      try engine.step(token)
      try tensors.step(token)
      try untouched.step(token)
      for place in engine.logits.indices {
        #expect(abs(engine.logits[place] - tensors.logits[place]) <= 1e-9)
        largest = max(largest, abs(engine.logits[place] - untouched.logits[place]))
        compared += 1
      }
    }
    #expect(compared == 280 && largest > 1e-3)
  }

  @Test(arguments: NetworkCase.all)
  func cutsSettingsAndSilenceHoldWhenATokenIsRead(on item: NetworkCase) throws {
    let names = ParticleNames(of: try item.engine(Float.self))
    var change = Interventions()
    let engine = try item.engine(Float.self)
    let present = try SynapseChoice.matching { _, _ in true }.synapses(of: engine)
    let (cut, set) = (present[present.count / 3], present[present.count / 2])
    change.cuts = [cut]
    change.settings = [.init(synapse: set, weight: 0.5, token: 11)]
    try change.check(on: engine)
    for (position, token) in NetworkCase.tokens.enumerated() {
      change.apply(to: engine)
      #expect(engine.plasticWeights(layer: cut.layer, of: [cut.synapse]) == [0])
      if position == 11 {
        #expect(abs(engine.plasticWeights(layer: set.layer, of: [set.synapse])[0] - 0.5) < 1e-6)
      }
      try engine.step(token)
    }
    #expect(names.layers == 3)
  }

  @Test func aSilencedNeuronNeverFires() throws {
    let item = NetworkCase(form: "circuit", isDamped: true)
    var change = Interventions()
    let plain = try item.engine(Float.self)
    var fired = [Int](repeating: 0, count: 68)
    for token in NetworkCase.tokens {
      for layer in try plain.stepRecording(token).layers {
        for neuron in 0..<68 where layer.y[neuron] > 0 { fired[neuron] += 1 }
      }
    }
    let busy = try #require((0..<68).max { fired[$0] < fired[$1] })
    #expect(fired[busy] > 10)
    change.silenced = [busy]
    let engine = try CircuitEngine(Compiler().circuit(from: change.silencing(item.weights(Float.self))).graph)
    for token in NetworkCase.tokens {
      for layer in try engine.stepRecording(token).layers {
        #expect(layer.x[busy] == 0 && layer.y[busy] == 0 && layer.x.contains { $0 > 0 })
      }
    }
  }

  @Test func settingsAreReadAndRefused() throws {
    let engine = try NetworkCase(form: "circuit", isDamped: false).engine(Float.self)
    let names = ParticleNames(of: engine)
    let setting = try Interventions.setting("2:h3:n12=-1.5e-3@40", names)
    #expect(setting.weight == -1.5e-3 && setting.token == 40 && names.name(setting.synapse) == "2:h3:n12")
    for text in [
      "2:h3:n12", "2:h3:n12=1", "2:h3:n12=nan@3", "2:h3:n12=1@-3", "2:h3:n12=1@x", "h3=1@3", "2:h3:n12=1=2@3",
    ] {
      #expect(throws: ActivityError.self, "\(text)") { try Interventions.setting(text, names) }
    }
    var absent = Interventions()
    absent.cuts = [LayerSynapse(layer: 1, PlasticSynapse(from: 12, to: 0))]
    #expect(throws: ActivityError.noSuchSynapse("1:h12:n0")) { try absent.check(on: engine) }
    absent = Interventions()
    absent.silenced = [68]
    #expect(throws: ActivityError.noSuchNeuron(68, neurons: 68)) { try absent.check(on: engine) }
  }

  @Test(arguments: NetworkCase.all)
  func aWatchedTextIsWhatTheNetworkDid(on item: NetworkCase) throws {
    let (engine, other) = (try item.engine(Double.self), try item.engine(Double.self))
    let reader = try item.engine(Double.self)
    for token in NetworkCase.tokens { try reader.step(token) }
    let strongest = try SynapseChoice.strongest(2).synapses(of: reader)
    let (synapses, neurons) = (
      strongest,
      [LayerNeuron(layer: 2, neuron: 3), LayerNeuron(layer: 3, neuron: 60)]
    )
    let text = try WatchedText(NetworkCase.tokens, synapses: synapses, neurons: neurons, on: engine)
    #expect(text.tokens == NetworkCase.tokens && text.items.count == 4)
    var written = 0
    for (place, token) in NetworkCase.tokens.enumerated() {
      let layers = try other.stepRecording(token).layers
      for (index, synapse) in synapses.enumerated() {
        let item = text.items[index]
        #expect(item.strength[place] == other.plasticWeights(layer: synapse.layer, of: [synapse.synapse])[0])
        #expect(item.increment[place] == item.presynaptic[place] * item.postsynaptic[place])
        written += item.increment[place] != 0 ? 1 : 0
      }
      for (index, neuron) in neurons.enumerated() {
        let values = layers[neuron.layer - 1]
        #expect(text.items[2 + index].strength[place] == values.y[neuron.neuron])
        #expect(text.items[2 + index].presynaptic[place] == values.x[neuron.neuron])
      }
    }
    #expect(written > 5)
    let order = text.items[0].largestWrites(3).map { text.items[0].increment[$0].magnitude }
    #expect(order == order.sorted(by: >) && order.first == text.items[0].increment.map(\.magnitude).max())
    #expect(throws: ActivityError.nothingChosen) {
      try WatchedText([1], synapses: [], neurons: [], on: engine)
    }
  }
}
