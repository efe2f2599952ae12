import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport

extension HostileFiles {
  /// Whatever loads is a graph that runs, and that training takes apart and puts together without a loss.
  static func readGraph(_ content: [UInt8]) throws {
    let scratch = try ScratchFile(content)
    let file = try GraphFile(path: scratch.path)
    let (graph, sizes) = (file.graph, file.graph.hyperparameters)
    try mustHold(graph.fingerprint.count == 64, "a fingerprint has 64 digits")
    // A run takes memory for every head and node, which is no matter of the file's size: only small ones are run here.
    guard sizes.heads * graph.nodeCount <= 1 << 16, sizes.layers <= 64 else { return }
    let engine = try DirectEngine(graph, workers: one, memory: 1 << 24)
    for token in 0..<min(3, sizes.vocabulary) { try engine.step(token) }
    try mustHold(engine.logits.count == sizes.vocabulary, "a logit for every token")
    let again = try DirectWeights(graph).graph()
    try mustHold(again.contentFingerprint == graph.fingerprint, "taken apart and put together it is another")
  }

  static func graphSeeds() throws -> [[UInt8]] {
    let sizes = Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 3)
    let graphs = [
      try DirectWeights<Float>.untrained(sizes, edges: 20, keepsPlastic: false, seed: 1).graph(),
      try DirectWeights<Float>.untrained(sizes, edges: 20, keepsPlastic: true, seed: 2).graph(),
      DirectGraph.random(seed: 1, damping: true, density: 0.5),
      DirectGraph.random(seed: 2, plasticity: .lists, density: 0.3),
    ]
    let files = try graphs.map { graph in try saved { try graph.save(to: $0) } }
    let rounded = try saved { try graphs[0].save(to: $0, metadata: ["note": "é \u{1B}"], as: .bf16) }
    return [files[0]] + (files + [rounded]).map(FuzzTarget.unframed)
  }
}
