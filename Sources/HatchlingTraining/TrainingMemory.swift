import Foundation
import HatchlingModel

/// How much memory a training run takes at most, in bytes, by what it is for. Linear in the block length.
///
/// Lists of active neurons are counted at full length; a network that is sparse touches less.
public struct TrainingMemory: Sendable {
  /// Weights, their gradients and both running means of AdamW.
  public let parameters: Double
  /// What the forward pass keeps for the backward pass, and what that works with.
  public let activity: Double
  /// ρ at the beginning of every chunk, and of every stream between blocks.
  public let states: Double

  public var total: Double { parameters + activity + states }

  /// - Parameter bytes: of one number; 4 for float.
  public init(_ sizes: Hyperparameters, _ options: TrainingOptions, bytes: Int = 4) {
    let (n, d, heads) = (Double(sizes.neurons), Double(sizes.synapticDimension), Double(sizes.heads))
    let (layers, vocabulary, perHead) = (Double(sizes.layers), Double(sizes.vocabulary), n / heads)
    let (batch, block) = (Double(options.batch), Double(options.block))
    let chunk = min(Double(options.chunk), block)
    let (rows, number) = (batch * block, Double(bytes))
    let trained = 3 * n * d + 2 * vocabulary * d + (options.damping == .learned ? n / 2 : 0)
    parameters = 4 * trained * number
    let lists = sizes.variant.accumulatesActivity ? 3.0 : 2.0
    let perLayer =
      rows * n * (4 * number + 4 * lists) + rows * (heads * (d + chunk + 1) + 2 * d + 2) * number
    let lanes = min(8, batch * heads)
    let scratch = lanes * (6 * chunk * perHead + 2 * chunk * chunk + 2 * perHead * d)
    let once = rows * (3 * n + 3 * d + 2 * heads * d + 2 * perHead + vocabulary) + batch * n + scratch
    activity = layers * perLayer + once * number
    let chunks = (block / chunk).rounded(.up)
    // Between blocks a training run keeps one set, validation another.
    states = layers * (chunks + 1 + (options.carry ? 2 : 0)) * batch * n * d * number
  }

  /// - Throws: ``TrainingError/badOption(_:)`` when the machine has less memory than that.
  public func check(available: UInt64 = ProcessInfo.processInfo.physicalMemory) throws(TrainingError) {
    guard total <= Double(available) else {
      throw .badOption(
        "the run needs up to \(Self.text(total)) of memory and this machine has \(Self.text(Double(available))); "
          + "a smaller --batch, --block, --n or --d needs less")
    }
  }

  /// Bytes as a person reads them.
  public static func text(_ bytes: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var (value, unit) = (bytes, 0)
    while value >= 1000, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return String(format: unit == 0 ? "%.0f %@" : "%.1f %@", value, units[unit] as NSString)
  }
}
