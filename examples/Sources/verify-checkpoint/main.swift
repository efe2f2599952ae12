// Checks that a checkpoint of yours runs the same as tensors and as a graph.
//
//     verify-checkpoint [MODEL [LAYERS [TEXT]]]
import HatchlingCompiler
import HatchlingEquivalence
import HatchlingExecution
import HatchlingModel
import HatchlingTensor

let arguments = Array(CommandLine.arguments.dropFirst())
let layers = arguments.count > 1 ? Int(arguments[1]) : nil
let model = try arguments.first.map { try Model.load(path: $0, layers: layers) } ?? Model.shipped()
let text = arguments.count > 2 ? arguments[2] : "To be, or not to be, that is the question."

let weights = model.weights.converted(to: Double.self)
let (graph, passes) = try Compiler().circuit(from: weights)
for pass in passes { print("\(pass.pass): \(pass.edgesIn) → \(pass.edgesOut) synapses. \(pass.note)") }
var check = Equivalence(graph: try CircuitEngine(graph), tensors: TensorEngine(weights))
try check.run(over: text.utf8.map(Int.init))
for difference in check.report.differences {
  print("\(difference.quantity): at most \(difference.maxRelative) relative")
}
print(
  check.report.agree
    ? "graph and tensors agree" : "they part at \(String(describing: check.report.firstDivergence))")
precondition(check.report.agree)
