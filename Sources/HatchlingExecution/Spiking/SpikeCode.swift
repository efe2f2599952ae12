import HatchlingNumerics

/// How a number becomes a train of spikes, as data: what flows into a membrane, how much it takes to fire and what a spike weighs, sub-step by
/// sub-step. A further code is one more table.
///
/// All numbers are in units of the particle's scale s; a value u starts as u/s. A spike goes out on the excitatory or on the inhibitory channel.
public struct SpikeCode: Sendable, Equatable {
  /// One sub-step of a phase.
  public struct Substep: Sendable, Equatable {
    /// Which part of the value flows into the membrane.
    public let input: Double
    /// A neuron fires while its membrane is at least as large.
    public let threshold: Double
    /// What a spike weighs, and what it takes away from the membrane.
    public let weight: Double
  }

  /// How spikes come about.
  public enum Kind: Sendable, Equatable {
    /// By thresholds.
    case threshold
    /// By chance: a neuron fires with probability |u|/s in every sub-step.
    case chance
    /// Not at all: one message per value that carries the value, as in the exact network. For calibration and for tests.
    case graded
  }

  /// As it is written: `few:3:10`.
  public let name: String
  public let kind: Kind
  public let substeps: [Substep]
  /// The most spikes of one value.
  public let mostSpikes: Int
  /// Whether a value may fire on both channels, as signed digits do.
  public let firesBothWays: Bool
  /// The scale, in units of the largest value seen on the text of calibration.
  public let headroom: Double

  /// The largest |u|/s that spikes can express.
  public var largest: Double {
    kind == .graded ? .infinity : substeps.map(\.weight).sorted(by: >).prefix(mostSpikes).reduce(0, +)
  }

  /// The most sub-steps of a phase and, where weights halve, the most that a float's exponent allows.
  public static let (mostSubsteps, mostHalvings) = (4096, 60)

  /// Weights halve in every sub-step, a value fires at most `spikes` times: while |membrane| ≥ ⅔ of the weight, in the last sub-step ½.
  ///
  /// Spikes are signed digits: what one overshoots the next take back on the other channel.
  /// - Throws: ``SpikeCodeError``.
  public static func few(_ spikes: Int, _ substeps: Int) throws(SpikeCodeError) -> SpikeCode {
    guard (1...mostHalvings).contains(substeps) else { throw .substeps(substeps, most: mostHalvings) }
    guard (1...substeps).contains(spikes) else { throw .spikes(spikes, substeps: substeps) }
    return SpikeCode(
      name: "few:\(spikes):\(substeps)", kind: .threshold,
      substeps: (0..<substeps).map { step in
        let weight = halved(step)
        return Substep(
          input: step == 0 ? 1 : 0, threshold: weight * (step == substeps - 1 ? 1.0 / 2 : 2.0 / 3),
          weight: weight)
      }, mostSpikes: spikes, firesBothWays: true, headroom: 0.8)
  }

  /// Binary digits of |u|, the last one rounded. - Throws: ``SpikeCodeError``.
  public static func binary(_ bits: Int) throws(SpikeCodeError) -> SpikeCode {
    guard (1...mostHalvings).contains(bits) else { throw .substeps(bits, most: mostHalvings) }
    let half = halved(bits)
    return SpikeCode(
      name: "binary:\(bits)", kind: .threshold,
      substeps: (0..<bits).map {
        Substep(input: $0 == 0 ? 1 : 0, threshold: halved($0) - half, weight: halved($0))
      }, mostSpikes: bits, firesBothWays: false, headroom: 0.8)
  }

  /// Integrate and fire: a K-th of the value flows in at every sub-step, a spike weighs s/K and leaves when half of that is reached, so that the
  /// number of spikes is u K/s rounded. - Throws: ``SpikeCodeError``.
  public static func rate(_ substeps: Int) throws(SpikeCodeError) -> SpikeCode {
    guard (1...mostSubsteps).contains(substeps) else { throw .substeps(substeps, most: mostSubsteps) }
    let weight = 1 / Double(substeps)
    return SpikeCode(
      name: "rate:\(substeps)", kind: .threshold,
      substeps: Array(
        repeating: Substep(input: weight, threshold: weight / 2, weight: weight), count: substeps),
      mostSpikes: substeps, firesBothWays: false, headroom: 1)
  }

  /// A spike of s/K with probability |u|/s in each of K sub-steps. - Throws: ``SpikeCodeError``.
  public static func stochastic(_ substeps: Int) throws(SpikeCodeError) -> SpikeCode {
    guard (1...mostSubsteps).contains(substeps) else { throw .substeps(substeps, most: mostSubsteps) }
    let weight = 1 / Double(substeps)
    return SpikeCode(
      name: "stochastic:\(substeps)", kind: .chance,
      substeps: Array(repeating: Substep(input: 0, threshold: 0, weight: weight), count: substeps),
      mostSpikes: substeps, firesBothWays: false, headroom: 1)
  }

  /// Values as they are.
  public static let graded = SpikeCode(
    name: "graded", kind: .graded, substeps: [Substep(input: 1, threshold: 0, weight: 1)], mostSpikes: 1,
    firesBothWays: true, headroom: 1)

  private static func halved(_ times: Int) -> Double { Double(sign: .plus, exponent: -times, significand: 1) }

  /// By its name: `few:M:T`, `rate:K`, `binary:B`, `stochastic:K`. - Throws: ``SpikeCodeError``.
  public init(named name: String) throws(SpikeCodeError) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.dropFirst().map { Int($0) }
    switch (parts.first, numbers.count) {
    case ("few", 2):
      guard let spikes = numbers[0], let substeps = numbers[1] else { throw .unknown(name) }
      self = try .few(spikes, substeps)
    case ("binary", 1):
      guard let bits = numbers[0] else { throw .unknown(name) }
      self = try .binary(bits)
    case ("rate", 1):
      guard let substeps = numbers[0] else { throw .unknown(name) }
      self = try .rate(substeps)
    case ("stochastic", 1):
      guard let substeps = numbers[0] else { throw .unknown(name) }
      self = try .stochastic(substeps)
    case ("graded", 0): self = .graded
    default: throw .unknown(name)
    }
  }

  init(
    name: String, kind: Kind, substeps: [Substep], mostSpikes: Int, firesBothWays: Bool, headroom: Double
  ) {
    (self.name, self.kind, self.substeps) = (name, kind, substeps)
    (self.mostSpikes, self.firesBothWays, self.headroom) = (mostSpikes, firesBothWays, headroom)
  }
}

/// A code that there is not.
public enum SpikeCodeError: InputError, Equatable {
  case unknown(String)
  case substeps(Int, most: Int)
  case spikes(Int, substeps: Int)
  case unknownQuantity(String, known: [String])
  case twice(String)

  public var description: String {
    switch self {
    case .unknown(let name):
      "'\(name)' is no code of spikes; there are few:M:T, rate:K, binary:B and stochastic:K, with numbers for the letters"
    case .substeps(let count, let most): "\(count) sub-steps: 1 to \(most) are possible"
    case .spikes(let count, let substeps):
      "\(count) spikes in \(substeps) sub-steps: 1 to \(substeps) are possible, one in each sub-step"
    case .unknownQuantity(let name, let known):
      "'\(name)' does not send spikes; \(known.joined(separator: ", ")) do"
    case .twice(let name): "\(name) has two codes"
    }
  }
}
