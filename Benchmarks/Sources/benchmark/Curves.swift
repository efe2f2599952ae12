import Foundation
import HatchlingCommands
import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// How the cost of a token grows: one quantity at a time, everything else as in the large network.
struct Curves {
  struct Point {
    let curve: String
    let engine: String
    let x: Double
    /// Milliseconds per token: median of the runs.
    let milliseconds: Double
  }

  let settings: Settings
  let workers = Workers(threads: 1)
  /// Tokens per measurement, after as many that warm up.
  private let tokens = 40

  /// Measures all curves and writes `curves.csv` into the data folder. Needs the large network.
  func run(note: (String) -> Void) throws {
    let path = "\(settings.data)/large.safetensors"
    guard FileManager.default.fileExists(atPath: path) else {
      return note("no curves: '\(path)' is not there")
    }
    let large = try Model.load(path: path, workers: Workers(threads: 2)).weights
    let copies = 16
    var points: [Point] = []
    func measure(_ curve: String, _ x: Double, _ weights: Weights<Float>) throws {
      let graph = try Compiler().circuit(from: weights, workers: workers).graph
      for (name, engine) in try Workload.engines(graph, weights, workers) {
        let time = try perToken(engine)
        points.append(Point(curve: curve, engine: name, x: x, milliseconds: time * 1e3))
        note("\(curve) \(x) \(name): \(Tables.milliseconds(time)) ms per token")
      }
    }
    let reduced = large.keeping(copies: 4, of: copies)
    for kept in [1, 2, 4, 8, 16] {
      let weights = large.keeping(copies: kept, of: copies)
      try measure("neurons", Double(weights.hyperparameters.neurons), weights)
    }
    for d in [64, 128, 256, 512] {
      let lifted = "\(settings.data)/d\(d).safetensors"
      guard FileManager.default.fileExists(atPath: lifted) else {
        note("no curve over d at \(d): '\(lifted)' is not there")
        continue
      }
      try measure("d", Double(d), try Model.load(path: lifted, workers: workers).weights)
    }
    for layers in [1, 2, 4, 8] {
      var weights = reduced
      weights.hyperparameters.layers = layers
      try measure("layers", Double(layers), weights)
    }
    for change in [-0.9, -0.75, -0.5, 0, 0.5, 1] {
      let weights = reduced.changingActivity(change, seed: 1)
      try measure("activity", try activity(weights) * 100, weights)
    }
    points += try context(reduced, note: note)
    var lines = ["curve,engine,x,milliseconds"]
    for point in points { lines.append("\(point.curve),\(point.engine),\(point.x),\(point.milliseconds)") }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: URL(fileURLWithPath: "\(settings.data)/curves.csv"), options: .atomic)
  }

  private func perToken(_ engine: any SteppingEngine<Float>) throws -> Double {
    var times: [Double] = []
    for _ in 0..<max(3, settings.runs) {
      engine.reset()
      for token in settings.text.prefix(tokens) { try engine.step(token) }
      let time = try elapsed {
        for token in settings.text.dropFirst(tokens).prefix(tokens) { try engine.step(token) }
      }
      times.append(time / Double(tokens))
    }
    return times.sorted()[times.count / 2]
  }

  /// Fraction of x that is active over the measured tokens.
  private func activity(_ weights: Weights<Float>) throws -> Double {
    let engine = TensorEngine(weights, workers: workers)
    var active = 0
    for token in settings.text.prefix(2 * tokens) { active += try engine.step(token).activeX.reduce(0, +) }
    let sizes = weights.hyperparameters
    return Double(active) / Double(2 * tokens * sizes.layers * sizes.neurons)
  }

  /// The cost of the next token behind a context: ours carries a state, the public code reads the context again.
  private func context(_ weights: Weights<Float>, note: (String) -> Void) throws -> [Point] {
    var points: [Point] = []
    let engine = try EngineDescription(.circuit).engine(running: weights, workers: workers)
    let text = settings.text
    var next = 0
    for position in [64, 128, 256, 512, 1024, 2048] {
      while next < position {
        try engine.step(text[next % text.count])
        next += 1
      }
      // The state cannot be rewound, so the runs are the next stretches of text.
      let times = try (0..<3).map { _ in
        try elapsed {
          for _ in 0..<tokens / 2 {
            try engine.step(text[next % text.count])
            next += 1
          }
        } / Double(tokens / 2)
      }.sorted()
      points.append(
        Point(curve: "context", engine: "graph", x: Double(position), milliseconds: times[1] * 1e3))
    }
    // The same sizes: four copies of every neuron.
    let path = "\(settings.data)/middle.safetensors"
    do {
      let peer = try Peer(
        "public_code", [path, "--threads", "1", "--public-code", settings.publicCode], settings: settings)
      for length in [64, 128, 256, 512, 1024] {
        let context = (0..<length).map { text[$0 % text.count] }
        let times = try (0..<3).map { _ in try peer.seconds("generate", ["tokens": context, "count": 1]) }
          .sorted()
        points.append(
          Point(curve: "context", engine: "public code", x: Double(length), milliseconds: times[1] * 1e3))
      }
    } catch {
      note("no public code in the curve over the context: \((error as? Peer.Missing)?.reason ?? "\(error)")")
    }
    return points
  }
}

extension Weights where Scalar == Float {
  /// The first `kept` of the `copies` that lifting made of every neuron, with the weights that keep sums over neurons the same.
  func keeping(copies kept: Int, of copies: Int) -> Weights<Float> {
    guard kept < copies else { return self }
    let (perHead, d) = (hyperparameters.neuronsPerHead, hyperparameters.synapticDimension)
    let rows = perHead / copies * kept
    let scale = (Float(copies) / Float(kept)).squareRoot()
    func cut(_ matrix: Matrix<Float>, times scale: Float) -> Matrix<Float> {
      var result = Matrix<Float>(rows: hyperparameters.heads * rows, columns: d)
      let target = result.mutablePointer()
      for head in 0..<hyperparameters.heads {
        let source = matrix.row(head * perHead)
        for index in 0..<rows * d { target[head * rows * d + index] = source[index] * scale }
      }
      return result
    }
    var result = self
    result.hyperparameters.neurons = hyperparameters.heads * rows
    result.decoderX = cut(decoderX, times: scale)
    result.decoderY = cut(decoderY, times: 1)
    result.encoder = cut(encoder, times: scale)
    result.frequencies = Array(frequencies[..<rows])
    result.damping = damping.map { damping in
      (0..<hyperparameters.heads).flatMap { damping[$0 * perHead..<$0 * perHead + rows] }
    }
    return result
  }

  /// Less activity: a share of all pairs of neurons gets no drive. More: that share gets random drives, so that half of it fires.
  func changingActivity(_ change: Double, seed: UInt64) -> Weights<Float> {
    guard change != 0 else { return self }
    var random = SeededRandom(seed: seed)
    var result = self
    let (n, d) = (hyperparameters.neurons, hyperparameters.synapticDimension)
    let target = result.decoderX.mutablePointer()
    for pair in 0..<n / 2 where random.uniform() < abs(change) {
      for index in 2 * pair * d..<2 * (pair + 1) * d {
        target[index] = change < 0 ? 0 : Float(random.uniform() - 0.5) / Float(d).squareRoot()
      }
    }
    return result
  }
}
