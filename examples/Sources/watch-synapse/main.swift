// Steps a network over a text and watches one synapse learn.
//
//     watch-synapse [TEXT]
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel

let text = CommandLine.arguments.dropFirst().first ?? "the king and the queen and the king"
let model = try Model.shipped()
let engine = try CircuitEngine(Compiler().circuit(from: model.weights).graph)

// The plastic synapse of layer 2 that grows most over the text.
for byte in text.utf8 { try engine.step(Int(byte)) }
let state = engine.attentionState(layer: 2)
let strongest = (0..<state.count).max { abs(state.pointer[$0]) < abs(state.pointer[$1]) } ?? 0
let (neuron, hub) = (NeuronIndex(strongest / state.columns), HubIndex(strongest % state.columns))
print("watching h\(hub.index) → n\(neuron.index) in layer 2")

engine.reset()
let bytes = Array(text.utf8)
let synapse = PlasticSynapse(from: hub.index, to: neuron.index)
try engine.attach(Probe(.plasticWeights([synapse]), after: .end(.reweight), layers: [2])) { sample in
  let weight = sample.values[0]
  let bar = String(repeating: weight < 0 ? "-" : "+", count: min(60, Int(abs(weight) * 4)))
  print("\(String(UnicodeScalar(bytes[sample.position])))  \(weight)  \(bar)")
}
for byte in bytes { try engine.step(Int(byte)) }
