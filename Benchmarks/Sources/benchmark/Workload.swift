import Foundation
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor

/// One checkpoint, compiled, with what the peers need to check themselves.
struct Workload {
  static let stepTokens = 200
  static let prefillTokens = 512
  static let generationContext = 128

  let size: String
  let path: String
  let model: Model
  let graph: CircuitGraph<Float>
  let settings: Settings
  /// The held-out bytes that are stepped.
  let tokens: [Int]
  /// Our logits over `tokens`, as a NumPy file.
  let logitsPath: String

  init(size: String, path: String, settings: Settings) throws {
    self.size = size
    self.path = path
    self.settings = settings
    let workers = Workers(threads: 2)
    model = try Model.load(path: path, workers: workers)
    graph = try Compiler().circuit(from: model.weights, workers: workers).graph
    tokens = Array(settings.text.prefix(Self.stepTokens))
    logitsPath = "\(settings.data)/logits-\(size).npy"
    let engine = try RunnableNetwork.circuit(graph).engine(workers: workers)
    let writer = try NumpyWriter<Float>(path: logitsPath, columns: model.hyperparameters.vocabulary)
    for token in tokens {
      try engine.step(token)
      try writer.append(engine.logits)
    }
    try writer.commit()
  }

  /// Both formulations, ready to step; `threads` threads.
  func engines(threads: Int) throws -> [(name: String, engine: any SteppingEngine<Float>)] {
    try Self.engines(graph, model.weights, Workers(threads: threads))
  }

  /// As ``engines(threads:)``, of any network.
  static func engines(
    _ graph: CircuitGraph<Float>, _ weights: Weights<Float>, _ workers: Workers
  ) throws -> [(name: String, engine: any SteppingEngine<Float>)] {
    [
      ("graph", try RunnableNetwork.circuit(graph).engine(workers: workers)),
      ("tensor", try RunnableNetwork.tensors(weights, fingerprint: "").engine(workers: workers)),
    ]
  }

  /// A peer that agrees with our logits, or nil with a note.
  func peer(_ name: String, _ arguments: [String], note: (String) -> Void) -> Peer? {
    do {
      let peer = try Peer(name, [path] + arguments, settings: settings)
      let answer = try peer.ask("check", ["tokens": tokens, "logits": logitsPath])
      let difference = answer["difference"] ?? .infinity
      // The public code's phases are float32: 4e-4 within 1024 tokens.
      guard difference < 1e-3 else {
        throw Peer.Missing(
          reason: "its logits differ from ours by \(difference) of the largest; it is not timed")
      }
      note("\(size): \(peer.description); logits within \(String(format: "%.1e", difference)) of ours")
      return peer
    } catch {
      note("\(size): no \(name): \((error as? Peer.Missing)?.reason ?? "\(error)")")
      return nil
    }
  }

  // MARK: Contests

  /// One token after another, 200 held-out bytes from an empty state.
  func step(bandwidths: [Bandwidth], note: (String) -> Void) throws -> Contest {
    var contest = Contest(
      task: "step", size: size, unit: "token", reference: "PyTorch, dense recurrence, 2 threads",
      passes: size == "small" ? 9 : 1)
    let least = try LeastBytes(graph, tokens: tokens)
    note(
      "\(size): active x \(percent(least.activeX)) y \(percent(least.activeY)), plastic rows \(percent(least.plasticRows)); "
        + "least bytes per token \(megabytes(least.exact)), screened and deferred \(megabytes(least.screenedAndDeferred))"
    )
    for threads in [1, 2] {
      for (name, engine) in try engines(threads: threads) {
        var contestant = Contestant(
          name: "\(name), \(threads) \(threads == 1 ? "thread" : "threads")", threads: threads
        ) {
          engine.reset()
          return try elapsed { for token in tokens { try engine.step(token) } } / Double(tokens.count)
        }
        if let bandwidth = bandwidths.first(where: { $0.threads == threads }) {
          contestant.bounds = [
            "exact": bandwidth.seconds(for: least.exact),
            "screened and deferred": bandwidth.seconds(for: least.screenedAndDeferred),
          ]
        }
        contest.contestants.append(contestant)
      }
    }
    for threads in [2, 1] {
      guard let peer = peer("dense_recurrent", ["--threads", "\(threads)"], note: note) else { continue }
      let label = "PyTorch, dense recurrence, \(threads) \(threads == 1 ? "thread" : "threads")"
      contest.contestants.append(
        Contestant(name: label, threads: threads) {
          try peer.seconds("step", ["tokens": tokens]) / Double(tokens.count)
        })
    }
    return contest
  }

  /// 512 tokens at once, from an empty state to a state that can go on.
  func prefill(note: (String) -> Void) throws -> Contest {
    var contest = Contest(
      task: "prefill", size: size, unit: "token", reference: "public code, forward, 2 threads")
    let tokens = Array(settings.text.prefix(Self.prefillTokens))
    let workers = Workers(threads: 2)
    let tensor = TensorEngine(model.weights, workers: workers)
    contest.contestants.append(
      Contestant(name: "tensor, chunks, 2 threads", threads: 2) {
        tensor.reset()
        return try elapsed { _ = try tensor.read(tokens) } / Double(tokens.count)
      })
    let graphEngine = try RunnableNetwork.circuit(graph).engine(workers: workers)
    contest.contestants.append(
      Contestant(name: "graph, token by token, 2 threads", threads: 2) {
        graphEngine.reset()
        return try elapsed { for token in tokens { try graphEngine.step(token) } } / Double(tokens.count)
      })
    if let peer = peer("public_code", ["--threads", "2", "--public-code", settings.publicCode], note: note) {
      contest.contestants.append(
        Contestant(name: "public code, forward, 2 threads", threads: 2) {
          try peer.seconds("prefill", ["tokens": tokens]) / Double(tokens.count)
        })
    }
    return contest
  }

  /// Tokens drawn one after another behind a context of 128.
  func generate(note: (String) -> Void) throws -> Contest {
    var contest = Contest(
      task: "generate", size: size, unit: "token", reference: "public code, generate, 2 threads")
    let context = Array(settings.text.prefix(Self.generationContext))
    for (name, engine) in try engines(threads: 2) {
      contest.contestants.append(
        Contestant(name: "\(name), 2 threads", threads: 2) {
          engine.reset()
          for token in context { try engine.step(token) }
          var sampler = Sampler(temperature: 1, seed: 1)
          let count = 64
          return try elapsed {
            for _ in 0..<count { try engine.step(sampler.draw(from: engine.logits)) }
          } / Double(count)
        })
    }
    if let peer = peer("public_code", ["--threads", "2", "--public-code", settings.publicCode], note: note) {
      contest.contestants.append(
        Contestant(name: "public code, generate, 2 threads", threads: 2) {
          let count = 4
          return try peer.seconds("generate", ["tokens": context, "count": count]) / Double(count)
        })
    }
    return contest
  }

  /// From the file to a graph that runs; page cache warm.
  func compile() -> Contest {
    var contest = Contest(task: "compile", size: size, unit: "start")
    let workers = Workers(threads: 2)
    contest.contestants = [
      Contestant(name: "load", threads: 2) {
        try elapsed { _ = try Model.load(path: path, workers: workers) }
      },
      Contestant(name: "compile", threads: 2) {
        try elapsed { _ = try Compiler().circuit(from: model.weights, workers: workers) }
      },
      Contestant(name: "file to runnable graph (load, compile, engine)", threads: 2) {
        var engine: (any SteppingEngine<Float>)?
        let time = try elapsed {
          let model = try Model.load(path: path, workers: workers)
          engine = try EngineDescription(.circuit).engine(running: model.weights, workers: workers)
        }
        withExtendedLifetime(engine) {}
        return time
      },
    ]
    return contest
  }

  /// From starting the command to the first byte of its output; page cache warm.
  func firstToken(note: (String) -> Void) -> Contest {
    let publicCode = "public code: Python to first token"
    var contest = Contest(task: "first token", size: size, unit: "start", reference: publicCode)
    contest.contestants = [Contestant(name: "`hatchling generate`", threads: 2) { try firstByte() }]
    let arguments = [path, "--threads", "2", "--public-code", settings.publicCode]
    do {
      try Peer("public_code", arguments, settings: settings).stop()
      contest.contestants.append(
        Contestant(name: publicCode, threads: 2) {
          try elapsed {
            let peer = try Peer("public_code", arguments, settings: settings)
            _ = try peer.ask("prefill", ["tokens": [65]])
            peer.stop()
          }
        })
    } catch { note("\(size): no public code: \((error as? Peer.Missing)?.reason ?? "\(error)")") }
    return contest
  }

  /// Seconds from starting the command to the first byte that it writes.
  private func firstByte() throws -> Double {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: settings.executable)
    process.arguments = [
      "generate", "--model", path, "--prompt", "A", "--count", "1", "--seed", "1", "--threads", "2",
    ]
    let output = Pipe()
    process.standardOutput = output
    let time = try elapsed {
      try process.run()
      guard !output.fileHandleForReading.availableData.isEmpty else {
        throw Peer.Missing(reason: "\(settings.executable) wrote nothing")
      }
    }
    process.waitUntilExit()
    return time
  }

  private func percent(_ rows: Double) -> String {
    let all = Double(model.hyperparameters.neurons * model.hyperparameters.layers)
    return String(format: "%.1f %%", rows / all * 100)
  }

  private func megabytes(_ traffic: Traffic) -> String {
    String(format: "%.1f MB read, %.1f MB written", traffic.read / 1e6, traffic.written / 1e6)
  }
}
