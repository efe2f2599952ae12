import Foundation
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What a plan's constants are on this machine, measured where the plan is asked for: all ranks at once, as they would work.
public struct PlanCalibration: Sendable {
  /// With all ranks of the job at work, those of the slowest.
  public let constants: MachineConstants
  /// With one rank at work and the others asleep; nil without others.
  public let alone: MachineConstants?
  /// What the network itself did meanwhile, where there is one.
  public let activity: PlannedActivity?
  public let measurement: PlanMeasurement?

  private static var rounds: Int { 20 }

  /// Machine and network are measured in turns, so that what else runs on the machine slows both.
  ///
  /// - Parameters:
  ///   - trial: the network, warmed up; nil for one that is no more than sizes.
  ///   - tokens: how many it reads.
  /// Cost: some seconds, and 192 MiB for each rank.
  public static func measure<Scalar: NetworkScalar>(
    _ network: PlannedNetwork, _ trial: PlanTrial<Scalar>?, tokens: Int, ranks: Ranks?, workers: Workers
  ) throws -> PlanCalibration {
    let perRound = (tokens + rounds - 1) / rounds
    try trial?.read(perRound)
    var network = network
    if let trial { network.activity = trial.activity }
    // Two exchanges in each layer.
    let neurons = try ScalePlan(network, ranks: ranks?.size ?? 1).neurons
    let probe = MachineProbe<Scalar>(network, neurons: neurons / 2, workers: workers)
    var (machine, exchanges): ([MachineConstants], [ExchangeConstants]) = ([], [])
    for round in 0..<rounds {
      meet(ranks)
      machine.append(
        probe.measure(seconds: 0.1) { isDone in
          ranks.map { $0.sum([isDone ? 1 : 0])[0] > 0 } ?? isDone
        })
      if let ranks,
        let exchange = ExchangeConstants.measured(
          among: ranks, sizes: exchangeSizes(network), repeats: 12)
      {
        exchanges.append(exchange)
      }
      if round > 0 { try trial?.read(perRound) }
    }
    return PlanCalibration(
      constants: slowest(mean(machine, exchanges), ranks), alone: alone(probe, ranks),
      activity: trial?.activity, measurement: trial?.measured())
  }

  /// Bytes that ranks give in exchanges that are timed: next to nothing, as much as one piece, and more.
  private static func exchangeSizes(_ network: PlannedNetwork) -> [Int] {
    let piece = min(1 << 18, network.sizes.synapticDimension * network.bytesPerNumber)
    return [64, piece, 4 * piece, 16 * piece]
  }

  /// Everybody waits for everybody.
  private static func meet(_ ranks: Ranks?) { _ = ranks?.sum([0]) }

  private static func alone<Scalar>(_ probe: MachineProbe<Scalar>, _ ranks: Ranks?) -> MachineConstants? {
    guard let ranks, ranks.size > 1 else { return nil }
    let seconds = 0.6
    meet(ranks)
    guard ranks.speaks else {
      Thread.sleep(forTimeInterval: seconds + 0.1)
      meet(ranks)
      return nil
    }
    defer { meet(ranks) }
    return probe.measure(seconds: seconds)
  }

  /// Of the machine the mean, of what bytes and neurons take, as of tokens; of exchanges, which other programs hold up at times, the median.
  private static func mean(
    _ machine: [MachineConstants], _ exchanges: [ExchangeConstants]
  ) -> MachineConstants {
    func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let exchange =
      exchanges.isEmpty
      ? nil
      : ExchangeConstants(
        latency: middle(exchanges.map(\.latency)), bandwidth: middle(exchanges.map(\.bandwidth)))
    return MachineConstants(
      exchange: exchange, rows: 1 / mean(machine.map { 1 / $0.rows }),
      codes: 1 / mean(machine.map { 1 / $0.codes }), perNeuron: mean(machine.map(\.perNeuron)))
  }

  /// Everybody waits for the slowest rank.
  private static func slowest(_ own: MachineConstants, _ ranks: Ranks?) -> MachineConstants {
    guard let ranks else { return own }
    return MachineConstants(
      exchange: own.exchange, rows: ranks.gather(own.rows).min() ?? own.rows,
      codes: ranks.gather(own.codes).min() ?? own.codes,
      perNeuron: ranks.gather(own.perNeuron).max() ?? own.perNeuron)
  }
}
