import Foundation
import HatchlingModel

/// What a training run holds in memory, in bytes. Linear in the block length; no square of it anywhere.
public struct TrainingMemory: Equatable, Sendable {
  /// Weights, gradients, the optimiser's two means, and the best weights so far.
  public let parameters: Int
  /// What the forward pass keeps for the backward pass, the lists of active neurons full to the last place.
  public let activity: Int
  /// ρ at the beginning of every chunk, between blocks, and while held-out text is read.
  public let plasticState: Int
  /// What the backward pass works on, and sums of shares' gradients.
  public let workspace: Int

  public var total: Int { parameters + activity + plasticState + workspace }

  /// - Parameters:
  ///   - bytes: of one number, 4 for float. Sizes beyond any machine give `Int.max / 8`, never an overflow.
  ///   - ranks: how many share the streams; what the last one holds, which has the most of them.
  public init(_ sizes: Hyperparameters, _ options: TrainingOptions, bytes: Int = 4, ranks: Int = 1) {
    let shares = StreamShares(options, ranks: ranks, rank: ranks - 1)
    let (n, d, heads) = (Double(sizes.neurons), Double(sizes.synapticDimension), Double(sizes.heads))
    let (layers, vocabulary, perHead) = (Double(sizes.layers), Double(sizes.vocabulary), n / heads)
    let (batch, chunk) = (Double(shares.streams), Double(min(options.chunk, options.block)))
    let rows = batch * Double(options.block)
    let chunks = (Double(options.block) / chunk).rounded(.up)
    let number = Double(bytes)
    func whole(_ value: Double) -> Int { value < Double(Int.max / 8) ? Int(value) : Int.max / 8 }
    let weights = (3 * n * d + 2 * vocabulary * d) * number
    parameters = whole(5 * weights)
    let lists = sizes.variant.accumulatesActivity ? 3.0 : 2.0
    let perLayer =
      rows * n * (4 * number + lists * 4)
      + rows * (heads * d + heads + heads * chunk + 2 * d + 2) * number
    activity = whole(layers * perLayer + rows * (d + 1 + 2 * perHead + vocabulary) * number + rows * 8)
    // What a pass keeps, what its streams begin a validation with, and what all streams here carry.
    let states = (chunks + 1 + (options.carry ? 1 : 0)) * batch
    let carried = options.carry ? Double(shares.ownStreams.count) : 0
    plasticState = whole(layers * (states + carried) * n * d * number)
    let lanes = min(8, batch * heads)
    workspace = whole(
      rows * (3 * n + (2 * heads + 2) * d) * number + batch * n * number
        + lanes * (6 * chunk + 2 * d) * perHead * number + lanes * 2 * chunk * chunk * number
        + Double(shares.mostGradients - 1) * weights)
  }

  /// From bytes; a number beyond any machine is `Int.max / 8`.
  init(parameters: Double, activity: Double, plasticState: Double, workspace: Double) {
    func whole(_ value: Double) -> Int { value < Double(Int.max / 8) ? Int(value) : Int.max / 8 }
    (self.parameters, self.activity) = (whole(parameters), whole(activity))
    (self.plasticState, self.workspace) = (whole(plasticState), whole(workspace))
  }

  /// - Parameter processes: how many hold as much in the memory of this machine.
  /// - Throws: ``TrainingError/tooMuchMemory(needed:available:)`` when the machine has less memory than that.
  public func check(
    processes: Int = 1, available: UInt64 = ProcessInfo.processInfo.physicalMemory
  ) throws(TrainingError) {
    let (needed, overflow) = total.multipliedReportingOverflow(by: processes)
    guard !overflow, UInt64(needed) <= available else {
      throw .tooMuchMemory(needed: overflow ? .max : needed, available: Int(clamping: available))
    }
  }

  /// Bytes as a person reads them.
  public static func text(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    while value >= 1000, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    let digits = unit == 0 ? String(bytes) : String(format: "%.1f", value)
    return "\(digits) \(units[unit])"
  }
}
