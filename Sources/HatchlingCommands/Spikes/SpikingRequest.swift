import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

/// How a network is to run on spikes, and where the scales of spikes come from.
public struct SpikingRequest: Sendable, Equatable {
  public var options: SpikingOptions
  /// A file of scales; nil to find them from the text itself.
  public var scalesFile: String?

  public init(_ options: SpikingOptions, scalesFile: String? = nil) {
    (self.options, self.scalesFile) = (options, scalesFile)
  }

  /// Texts of at least as many tokens say themselves how large values become; at most so many of them are read.
  public static let (enough, most) = (256, 1024)

  /// With its scales: from the file, from the beginning of the text, or, where that is short, from the text and what the exact network goes on to
  /// write.
  ///
  /// - Returns: also where scales come from, to be told to the user.
  /// - Throws: `SpikeScalesError`, ``ScalesFileError``, what compiling throws.
  public func resolved(
    _ description: EngineDescription, _ network: Network, reading tokens: [Int], workers: Workers
  ) throws -> (setup: SpikingSetup, source: String) {
    if let scalesFile {
      let scales = try ScalesFile.read(scalesFile)
      let (sizes, isDirect) = (network.hyperparameters, description.formulation != .circuit)
      try scales.check(
        sizes,
        isDirect
          ? .direct(layers: sizes.layers, variant: sizes.variant)
          : .circuit(layers: sizes.layers, variant: sizes.variant), options)
      guard scales.model.isEmpty || scales.model == network.fingerprint else {
        throw SpikeScalesError.otherModel
      }
      return (SpikingSetup(options, scales), "scales of '\(scalesFile)'")
    }
    // In double, so that the scales do not depend on the precision of the run.
    let network: RunnableNetwork<Double> = try EngineDescription(
      description.formulation, dale: description.dale
    ).network(of: network, workers: workers)
    var read = Array(tokens.prefix(Self.most))
    var source = "scales from the first \(grouped(read.count)) tokens of the text"
    if read.count < Self.enough {
      let engine = try network.engine(workers: workers)
      var sampler = Sampler(temperature: 1, topK: nil, seed: 1)
      for token in read { try engine.step(token) }
      let given = read.count
      while !read.isEmpty && read.count < 2 * Self.enough {
        let token = sampler.draw(from: engine.logits)
        read.append(token)
        try engine.step(token)
      }
      source =
        "scales from the text's \(grouped(given)) tokens and \(grouped(read.count - given)) that the exact network writes after them"
    }
    return (SpikingSetup(options, try network.spikeScales(on: read, workers: workers)), source)
  }
}

/// A network on spikes, with its scales.
public struct SpikingSetup: Sendable, Equatable {
  public var options: SpikingOptions
  public var scales: SpikeScales

  public init(_ options: SpikingOptions, _ scales: SpikeScales) {
    (self.options, self.scales) = (options, scales)
  }
}

/// Scales as a JSON file.
public enum ScalesFile {
  /// - Throws: `CheckpointError` where it cannot be read, ``ScalesFileError``.
  public static func read(_ path: String) throws -> SpikeScales {
    let bytes = try TextSource.bytes(path)
    do { return try JSONDecoder().decode(SpikeScales.self, from: Data(bytes)) } catch let error
      as SpikeScalesError
    {
      throw ScalesFileError.bad(path: path, reason: "\(error)")
    } catch {
      throw ScalesFileError.bad(path: path, reason: "it is not what calibrate writes")
    }
  }

  /// - Throws: `CheckpointError` where it cannot be written.
  public static func write(_ scales: SpikeScales, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = String(decoding: try encoder.encode(scales), as: UTF8.self)
    try AtomicFile.writeText(to: path) { $0.append(text + "\n") }
  }
}

/// A file of scales that cannot be used.
public enum ScalesFileError: InputError, Equatable {
  case bad(path: String, reason: String)

  public var description: String {
    switch self {
    case .bad(let path, let reason): "'\(path)' holds no scales of spikes: \(reason)"
    }
  }
}

extension RunnableNetwork {
  /// The largest values of the exact network on a text. - Throws: `SpikeScalesError`, `TokenError`.
  func spikeScales(
    on tokens: [Int], workers: Workers, afterToken: (Int) -> Void = { _ in }
  ) throws -> SpikeScales {
    switch self {
    case .circuit(let graph), .spikingCircuit(let graph, _):
      try SpikeScales.measured(graph, on: tokens, workers: workers, afterToken: afterToken)
    case .direct(let graph), .spikingDirect(let graph, _):
      try SpikeScales.measured(graph, on: tokens, workers: workers, afterToken: afterToken)
    case .tensors: throw EngineDescriptionError.onlyGraphsSpike
    }
  }
}
