import Foundation
import HatchlingExecution
import HatchlingModel
import HatchlingShards

/// What a network will cost on some number of ranks, as a person and as a program read it.
public struct PlanReport: Encodable, Sendable {
  private let plan: ScalePlan
  private let constants: MachineConstants?
  /// Bytes of the program before it has a network.
  private let program: Double
  /// What the same network did on as many ranks.
  private let measurement: PlanMeasurement?

  /// - Parameters:
  ///   - constants: nil where nothing is said of times.
  ///   - program: bytes of anonymous memory of a program without a network.
  ///   - measurement: of the same network on as many ranks.
  public init(
    _ plan: ScalePlan, _ constants: MachineConstants?, program: Int, measurement: PlanMeasurement? = nil
  ) {
    (self.plan, self.constants, self.program) = (plan, constants, Double(program))
    self.measurement = measurement
  }

  public var ranks: Int { plan.ranks }
  private var memory: Double { plan.memory.anonymous + program }
  /// Of one way of exchanging sums, by default the plan's.
  private func time(_ way: ExchangeWay? = nil) -> PlannedTime? {
    constants.flatMap { plan.time($0, way) }
  }

  /// Bytes of anonymous memory, by what they are for.
  private var parts: [(name: String, text: String, bytes: Double)] {
    let memory = plan.memory
    return [
      ("weights", "D_x and D_y", memory.weights), ("screens", "screens", memory.screens),
      ("plastic", "ρ", memory.plastic), ("histories", "histories", memory.histories),
      ("neurons", "neurons", memory.neurons), ("frequencies", "clocks", memory.frequencies),
      ("hubs", "hubs", memory.hubs), ("program", "program", program),
    ]
  }

  public func encode(to encoder: any Encoder) throws {
    let sizes = plan.network.sizes
    var object: JSONObject = [
      "ranks": plan.ranks, "cut": plan.cut.rawValue, "blocks": plan.blocks, "busy_ranks": plan.busyRanks,
      "neurons_per_rank": plan.neurons, "n": sizes.neurons, "d": sizes.synapticDimension, "h": sizes.heads,
      "l": sizes.layers, "v": sizes.vocabulary, "memory_bytes": memory,
      "memory": Dictionary(uniqueKeysWithValues: parts.map { ($0.name, $0.bytes) }),
      "mapped_bytes": plan.memory.mapped, "exchange": plan.way.rawValue,
      "gather": traffic(plan.gathered, time(.gather)), "reduce": traffic(plan.reduced, time(.reduce)),
    ]
    if let measurement {
      object.append([
        "measured": [
          "tokens": measurement.tokens, "seconds_per_token": measurement.seconds,
          "exchanges_per_token": measurement.exchanges, "bytes_sent_per_token": measurement.sent,
          "bytes_received_per_token": measurement.received, "memory_bytes": measurement.memory,
        ] as JSONObject
      ])
    }
    try object.encode(to: encoder)
  }

  private func traffic(_ traffic: PlannedTraffic, _ time: PlannedTime?) -> JSONObject {
    [
      "exchanges_per_token": traffic.exchanges, "steps": traffic.steps, "bytes_sent_per_token": traffic.sent,
      "bytes_received_per_token": traffic.received, "seconds_per_token": time?.total,
      "seconds": time.map {
        [
          "memory": $0.memory, "neurons": $0.neurons, "latency": $0.latency, "bandwidth": $0.bandwidth,
        ] as JSONObject
      }, "bound": time?.bound,
    ]
  }

  /// All that is known, for one number of ranks.
  public var lines: [String] {
    let parts = parts.filter { $0.bytes > 0 }.map { "\($0.text) \(size($0.bytes))" }.joined(separator: ", ")
    return [
      "ranks              \(grouped(plan.ranks)); at most \(grouped(plan.neurons)) neurons each, \(grouped(plan.blocks)) blocks in all",
      "memory             \(size(memory)) anonymous per rank: \(parts)",
      "mapped file        \(size(plan.memory.mapped)) per rank, shared on one machine",
    ] + trafficLines + remarks + comparison
  }

  /// One rank tells nobody anything.
  private var trafficLines: [String] {
    let time = "time               " + sentence(time())
    guard plan.ranks > 1 else { return [time] }
    let (traffic, other) = (plan.traffic(), plan.way.other)
    return [
      "traffic            per token the first gets \(whole(traffic.received)) bytes and gives \(whole(traffic.sent)), in \(whole(traffic.exchanges)) exchanges of \(traffic.steps) steps (\(plan.way.rawValue))",
      time, "with \(padded(other.rawValue, 14, right: false))" + sentence(of: other),
    ]
  }

  private func sentence(of way: ExchangeWay) -> String {
    let traffic = plan.traffic(way)
    return "gets \(whole(traffic.received)) bytes, in exchanges of \(traffic.steps) steps"
      + (time(way).map { "; " + sentence($0) } ?? "")
  }

  private func sentence(_ time: PlannedTime?) -> String {
    guard let time else { return "not known; it takes the constants of machine and network" }
    return
      "\(milliseconds(time.total)) ms per token, \(rate(time)) per second, most of it \(time.bound): memory \(milliseconds(time.memory)), neurons \(milliseconds(time.neurons)), latency \(milliseconds(time.latency)), bandwidth \(milliseconds(time.bandwidth))"
  }

  /// What the plan assumes that is not so, or what the program cannot do.
  public var remarks: [String] {
    var remarks: [String] = []
    if plan.busyRanks < plan.ranks {
      remarks.append(
        "note               only \(grouped(plan.busyRanks)) of \(grouped(plan.ranks)) ranks have neurons: the network has \(grouped(plan.blocks)) blocks"
      )
    }
    if plan.cut == .finer && plan.blocks > 64 {
      remarks.append(
        "note               \(grouped(plan.blocks)) blocks are assumed; as built there are about 64")
    }
    if plan.isTooLargeForMPI {
      remarks.append("note               an exchange of more than 2 GiB is not built")
    }
    return remarks
  }

  /// Measured against planned.
  private var comparison: [String] {
    guard let measurement else { return [] }
    func line(_ name: String, _ measured: Double, _ planned: Double?, _ text: (Double) -> String) -> String {
      let ratio = planned.map { "planned \(text($0)), \(decimal($0 / measured, 3)) of it" } ?? "not planned"
      return "\(padded(name, 19, right: false))\(text(measured)); \(ratio)"
    }
    var lines = ["measured           \(grouped(measurement.tokens)) tokens"]
    lines.append(
      line("  time", measurement.seconds * 1e3, time().map { $0.total * 1e3 }) { decimal($0, 3) + " ms" })
    if plan.ranks > 1 {
      lines.append(line("  bytes got", measurement.received, plan.traffic().received, whole))
      lines.append(line("  exchanges", measurement.exchanges, plan.traffic().exchanges, whole))
    }
    if measurement.memory > 0 { lines.append(line("  memory", measurement.memory, memory, size)) }
    return lines
  }

  // MARK: Many numbers of ranks

  /// The head of a table of ``row``s.
  public static let header =
    "   ranks   neurons each      memory  gets, gather  ms per token   tokens/s  most of it  gets, reduce  ms per token   tokens/s   as run"

  /// One number of ranks in a table.
  public var row: String {
    let (gather, reduction) = (time(.gather), time(.reduce))
    return padded(String(plan.ranks), 8) + "  " + padded(grouped(plan.neurons), 13) + "  "
      + padded(size(memory), 10) + "  " + padded(size(plan.gathered.received), 12) + "  "
      + padded(gather.map { milliseconds($0.total) } ?? "–", 12) + "  " + padded(gather.map(rate) ?? "–", 9)
      + "  " + padded(gather?.bound ?? "–", 10) + "  " + padded(size(plan.reduced.received), 12) + "  "
      + padded(reduction.map { milliseconds($0.total) } ?? "–", 12) + "  "
      + padded(reduction.map(rate) ?? "–", 9) + "  " + padded(plan.ranks > 1 ? plan.way.rawValue : "–", 7)
  }
}

extension ScalePlan {
  /// What is planned for, the same for every number of ranks.
  public static func lines(of network: PlannedNetwork, activityFrom source: String) -> [String] {
    let (sizes, active, choice) = (network.sizes, network.activity, network.choice)
    let ways =
      (choice.screens ? ", 8-bit screens" : "") + (choice.defers ? ", deferred writes" : "")
      + (network.isDamped ? ", damped" : "")
    return [
      "network            n \(grouped(sizes.neurons)), d \(sizes.synapticDimension), H \(sizes.heads), L \(sizes.layers), V \(sizes.vocabulary), \(network.bytesPerNumber == 4 ? "float" : "double")\(ways)",
      "activity           x \(percent(active.x)), y \(percent(active.y)), firing \(percent(active.fired)) (\(source))",
    ]
  }
}

extension MachineConstants {
  /// What a machine can do, as a person reads it.
  public func lines(_ name: String) -> [String] {
    let neurons = perNeuron > 0 ? ", \(decimal(perNeuron * 1e9, 2)) ns per neuron and layer" : ""
    let network =
      exchange.map {
        "; \(decimal($0.latency * 1e6, 2)) µs and \(decimal($0.bandwidth / 1e9, 3)) GB/s between ranks"
      } ?? ""
    return [
      "\(padded(name, 19, right: false))rows \(decimal(rows / 1e9, 2)) GB/s, codes \(decimal(codes / 1e9, 2)) GB/s\(neurons)\(network)"
    ]
  }
}

/// Bytes, as a person reads them.
private func size(_ bytes: Double) -> String {
  let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  var (value, unit) = (bytes, 0)
  while value >= 1024 && unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
  return "\(decimal(value, unit == 0 || value >= 1000 ? 0 : 1)) \(units[unit])"
}

private func whole(_ value: Double) -> String {
  value.magnitude < 9e15 ? grouped(Int(value.rounded())) : scientific(value)
}

private func milliseconds(_ seconds: Double) -> String {
  seconds < 1e5 ? decimal(seconds * 1e3, seconds < 0.1 ? 3 : 1) : scientific(seconds * 1e3)
}

private func rate(_ time: PlannedTime) -> String {
  let rate = 1 / time.total
  return rate < 1e9 ? decimal(rate, rate < 1 ? 4 : 1) : scientific(rate)
}
