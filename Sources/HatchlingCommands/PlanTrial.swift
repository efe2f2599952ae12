import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// A network that reads some tokens, so that a plan can be held against it. All ranks make theirs together.
public final class PlanTrial<Scalar: NetworkScalar> {
  private let reader: StreamReader<Scalar>
  private let ranks: Ranks?
  private let tokens: [Int]
  private var seconds = 0.0
  private var (read, activeX, activeY, updates) = (0, 0, 0, 0)
  private var traffic = RankTraffic()
  private var memory = 0
  /// Tokens before time is taken: every row of ρ is written for the first time by then.
  private static var warmup: Int { 32 }

  /// - Parameter tokens: read over and over; not empty.
  /// - Throws: as ``StreamReader`` does; `NotFiniteError` and the like while it warms up.
  public init(_ network: Network, tokens: [Int], ranks: Ranks?, workers: Workers) throws {
    (self.ranks, self.tokens) = (ranks, tokens)
    reader = try StreamReader(EngineDescription(.circuit), network, ranks: ranks, workers: workers)
    for place in 0..<Self.warmup {
      _ = try reader.step(tokens[place % tokens.count])
      memory = max(memory, ProcessMemory.anonymous ?? 0)
    }
  }

  /// Reads on.
  public func read(_ count: Int) throws {
    let before = ranks?.traffic
    let start = ContinuousClock.now
    for _ in 0..<count {
      let activity = try reader.step(tokens[(Self.warmup + read) % tokens.count])
      read += 1
      activeX += activity.activeX.reduce(0, +)
      activeY += activity.activeY.reduce(0, +)
      updates += activity.updates
    }
    seconds += (ContinuousClock.now - start).inSeconds
    guard let ranks, let before else { return }
    let passed = ranks.traffic - before
    traffic.sent += passed.sent
    traffic.received += passed.received
    traffic.gathers += passed.gathers
  }

  /// What was active. A plastic weight is updated where a neuron fired.
  public var activity: PlannedActivity {
    let sizes = reader.engine.hyperparameters
    let all = Double(max(1, read)) * Double(sizes.layers) * Double(sizes.neurons)
    return PlannedActivity(
      x: Double(activeX) / all, y: Double(activeY) / all,
      fired: min(1, Double(updates) / all / Double(sizes.synapticDimension)))
  }

  /// What was measured. All ranks call it together.
  public func measured() -> PlanMeasurement {
    let (count, here) = (Double(max(1, read)), Double(memory))
    return PlanMeasurement(
      tokens: read, seconds: read == 0 ? .nan : seconds / count,
      exchanges: Double(traffic.gathers) / count, sent: Double(traffic.sent) / count,
      received: Double(traffic.received) / count, memory: (ranks?.gather(here) ?? [here]).max() ?? here)
  }
}

/// What tokens took, as the first rank saw it.
public struct PlanMeasurement: Equatable, Sendable {
  public let tokens: Int
  /// Of a token, the mean.
  public let seconds: Double
  /// Per token.
  public let exchanges, sent, received: Double
  /// Most anonymous memory of any rank, in bytes; 0 where the system does not say.
  public let memory: Double
}
